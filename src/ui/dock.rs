//! The panels and their places: docked, movable, remembered.

use egui_tiles::{
    Behavior, Container, Linear, LinearDir, SimplificationOptions, TabState, Tile, TileId, Tiles, Tree,
    UiResponse,
};

/// A panel of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Panel {
    /// The tree of streams.
    Streams,
    /// The table of events.
    Events,
    /// Searching payloads.
    Search,
    /// Projections, rebuilds and read models.
    Projections,
    /// The stored snapshots.
    Snapshots,
    /// The layout of the store.
    Info,
    /// The state at the cursor.
    State,
    /// The comparison of two states.
    Diff,
    /// The event at the cursor.
    Event,
    /// The reducer and its editor.
    Reducer,
    /// Which events wrote a value.
    Why,
    /// Watched paths and expressions.
    Watches,
    /// Running to where a condition holds.
    Conditions,
    /// Two histories side by side.
    Compare,
    /// Branches of a history.
    WhatIf,
    /// Bookmarks and the places gone to.
    Bookmarks,
}

impl Panel {
    /// All panels.
    pub const ALL: [Self; 16] = [
        Self::Streams,
        Self::Events,
        Self::Search,
        Self::Projections,
        Self::Snapshots,
        Self::Info,
        Self::State,
        Self::Diff,
        Self::Event,
        Self::Reducer,
        Self::Why,
        Self::Watches,
        Self::Conditions,
        Self::Compare,
        Self::WhatIf,
        Self::Bookmarks,
    ];

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Streams => "Streams",
            Self::Events => "Events",
            Self::Search => "Search",
            Self::Projections => "Projections",
            Self::Snapshots => "Snapshots",
            Self::Info => "Layout",
            Self::State => "State",
            Self::Diff => "Diff",
            Self::Event => "Event",
            Self::Reducer => "Reducer",
            Self::Why => "Why",
            Self::Watches => "Watches",
            Self::Conditions => "Conditions",
            Self::Compare => "Compare",
            Self::WhatIf => "What-if",
            Self::Bookmarks => "Bookmarks",
        }
    }
}

/// Streams on the left, events in the middle, the state on the right.
#[must_use]
pub fn default_tree() -> Tree<Panel> {
    let mut tiles = Tiles::default();
    let streams = tiles.insert_pane(Panel::Streams);
    let streams = tiles.insert_tab_tile(vec![streams]);
    let mut tabs = |panels: &[Panel]| {
        let panes = panels.iter().map(|panel| tiles.insert_pane(*panel)).collect();
        tiles.insert_tab_tile(panes)
    };
    let events = [
        Panel::Events,
        Panel::Search,
        Panel::Projections,
        Panel::Snapshots,
        Panel::Reducer,
        Panel::Compare,
        Panel::WhatIf,
        Panel::Info,
    ];
    let middle = tabs(&events);
    let right = tabs(&[Panel::State, Panel::Diff, Panel::Event]);
    let questions = tabs(&[Panel::Why, Panel::Watches, Panel::Conditions, Panel::Bookmarks]);
    let mut column = Linear::new(LinearDir::Vertical, vec![right, questions]);
    column.shares.set_share(right, 0.6);
    column.shares.set_share(questions, 0.4);
    let right = tiles.insert_new(Tile::Container(Container::Linear(column)));
    let mut row = Linear::new(LinearDir::Horizontal, vec![streams, middle, right]);
    row.shares.set_share(streams, 0.22);
    row.shares.set_share(middle, 0.515);
    row.shares.set_share(right, 0.265);
    let root = tiles.insert_new(Tile::Container(Container::Linear(row)));
    Tree::new(egui::Id::unique("panels"), root, tiles)
}

/// A remembered tree, if it still holds every panel once; else the default.
#[must_use]
pub fn checked(tree: Option<Tree<Panel>>) -> Tree<Panel> {
    let Some(tree) = tree else { return default_tree() };
    let mut panels: Vec<Panel> = tree
        .tiles
        .iter()
        .filter_map(|(_, tile)| match tile {
            Tile::Pane(panel) => Some(*panel),
            Tile::Container(_) => None,
        })
        .collect();
    panels.sort_unstable();
    let mut all = Panel::ALL.to_vec();
    all.sort_unstable();
    if panels == all && tree.root().is_some() { tree } else { default_tree() }
}

/// Brings a panel to the front of its tabs.
pub fn show(tree: &mut Tree<Panel>, panel: Panel) {
    tree.make_active(|_, tile| matches!(tile, Tile::Pane(other) if *other == panel));
}

/// Draws each panel where it is docked.
pub struct Docked<'a> {
    /// Draws one panel.
    pub draw: &'a mut dyn FnMut(&mut egui::Ui, Panel),
}

impl Behavior<Panel> for Docked<'_> {
    fn pane_ui(&mut self, ui: &mut egui::Ui, _: TileId, panel: &mut Panel) -> UiResponse {
        let fill = ui.visuals().panel_fill;
        egui::Frame::NONE.fill(fill).inner_margin(6.0).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            (self.draw)(ui, *panel);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, panel: &Panel) -> egui::WidgetText {
        panel.title().into()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }

    fn tab_bar_height(&self, _: &egui::Style) -> f32 {
        26.0
    }

    fn gap_width(&self, _: &egui::Style) -> f32 {
        3.0
    }

    fn tab_text_color(
        &self,
        visuals: &egui::Visuals,
        _: &Tiles<Panel>,
        _: TileId,
        state: &TabState,
    ) -> egui::Color32 {
        if state.active { visuals.strong_text_color() } else { visuals.weak_text_color() }
    }
}
