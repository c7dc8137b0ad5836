//! The publishing dialog: what would be written, unlocking, and what was written.

use std::sync::Arc;

use egui::{Align, Button, Context, Layout, RichText, ScrollArea, TextEdit, Ui};

use crate::{
    model::{Stored, Timestamp},
    publish::{CheckpointEdit, DryRun, Published, RowEdit, TableDryRun},
    session::{
        action::{Action, PublishAction},
        view::{PublishStage, PublishView, grouped},
    },
    ui::{
        theme::Palette,
        widgets::{icon::trouble_label, whole::whole_label},
    },
};

/// What the dialog remembers while it is open.
#[derive(Debug, Default)]
pub struct PublishLocal {
    /// Where the time of day comes from; without it, it is always 1970.
    pub clock: Option<fn() -> Timestamp>,
}

/// So many letters of a value are shown; the rest stands in the tooltip.
const LETTERS: usize = 60;

/// So many columns of a row are shown.
const COLUMNS: usize = 12;

/// The dialog.
pub fn publish_ui(ctx: &Context, view: &PublishView, local: &PublishLocal, actions: &mut Vec<Action>) {
    let mut asked = Vec::new();
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(16.0);
    let modal = egui::Modal::new(egui::Id::unique("publish")).frame(frame).show(ctx, |ui| {
        let screen = ctx.content_rect().size();
        ui.set_width((screen.x - 80.0).clamp(320.0, 760.0));
        ui.label(RichText::new(format!("Publish {} into {}", view.subject, view.store)).size(18.0).strong());
        ui.add_space(4.0);
        let room = (screen.y - 330.0).max(120.0);
        match &view.stage {
            PublishStage::CatchingUp => waiting_ui(ui, "Taking in what is new…"),
            PublishStage::Planning => waiting_ui(ui, "Comparing every row…"),
            PublishStage::Planned(plan) => {
                plan_ui(ui, plan, room);
                if !plan.tables.is_empty() {
                    sweep_ui(ui, plan, view, &mut asked);
                    unlock_ui(ui, view, &mut asked);
                }
            }
            PublishStage::Writing(plan) => {
                plan_ui(ui, plan, room);
                waiting_ui(ui, "Writing: a backup first, then all of it in one transaction…");
            }
            PublishStage::Written { published, restore } => written_ui(ui, published, restore),
            PublishStage::Refused { words, .. } => {
                let colours = Palette::of(ui);
                ui.label(RichText::new(&words.title).strong().color(colours.trouble.ink));
                for text in [&words.detail, &words.hint] {
                    if !text.is_empty() {
                        ui.label(text);
                    }
                }
            }
        }
        ui.add_space(10.0);
        buttons_ui(ui, view, local, &mut asked);
    });
    if modal.should_close() {
        asked.push(PublishAction::Close);
    }
    actions.extend(asked.into_iter().map(Action::Publish));
}

fn waiting_ui(ui: &mut Ui, words: &str) {
    ui.horizontal(|ui| {
        ui.spinner();
        ui.label(words);
    });
}

/// What would be written, table by table.
fn plan_ui(ui: &mut Ui, plan: &DryRun, room: f32) {
    if plan.tables.is_empty() {
        ui.label("The stored table agrees with the events; there is nothing to write");
        return;
    }
    ui.weak("Nothing is written yet. This is what would change:");
    ui.add_space(4.0);
    ScrollArea::vertical().id_salt("dry run").max_height(room).show(ui, |ui| {
        for table in &plan.tables {
            table_ui(ui, table);
        }
        if let Some(CheckpointEdit { table, column, from, to }) = &plan.checkpoint {
            ui.label(RichText::new(format!("Checkpoint in {table}")).strong());
            ui.label(format!(
                "{column} moves from {} to {}",
                from.to_short_words(LETTERS),
                to.to_short_words(LETTERS)
            ));
        }
        for note in &plan.notes {
            trouble_label(ui, &**note);
        }
    });
    ui.add_space(4.0);
    ui.weak(format!("While it is written, other programs have to wait for {}", plan.lock));
}

fn table_ui(ui: &mut Ui, table: &TableDryRun) {
    ui.label(RichText::new(&*table.table).strong());
    let counts = [(table.inserted, "inserted"), (table.updated, "updated"), (table.deleted, "deleted")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, what)| format!("{} row{} {what}", grouped(*count), if *count == 1 { "" } else { "s" }))
        .collect();
    ui.label(counts.join(", "));
    egui::Grid::new(("first rows", &table.table)).num_columns(2).spacing([12.0, 8.0]).show(ui, |ui| {
        let mut row = |name: &str, values: Vec<String>| {
            // At the top, beside the first value, and not halfway down.
            ui.vertical(|ui| drop(whole_label(ui, name)));
            ui.vertical(|ui| {
                for value in values {
                    ui.add(egui::Label::new(RichText::new(value).monospace()).truncate());
                }
            });
            ui.end_row();
        };
        if let Some(values) = &table.first_insert {
            row("first insert", cells(values));
        }
        if let Some(RowEdit { place, values }) = &table.first_update {
            let changed = |name: &str| values.iter().find(|(other, _)| **other == *name);
            let cells = place.is.iter().take(COLUMNS).map(|(name, value)| match changed(name) {
                Some((_, new)) => {
                    format!("{name}: {} → {}", value.to_short_words(LETTERS), new.to_short_words(LETTERS))
                }
                None => format!("{name}: {}", value.to_short_words(LETTERS)),
            });
            row("first update", cells.collect());
        }
        if let Some(place) = &table.first_delete {
            row("first delete", cells(&place.is));
        }
    });
    if !table.triggers.is_empty() {
        let names: Vec<&str> = table.triggers.iter().map(|name| &**name).collect();
        ui.label(format!("Triggers of this table will not run: {}", names.join(", ")));
    }
    ui.add_space(6.0);
}

fn cells(values: &[(Arc<str>, Stored)]) -> Vec<String> {
    values
        .iter()
        .take(COLUMNS)
        .map(|(name, value)| format!("{name}: {}", value.to_short_words(LETTERS)))
        .collect()
}

/// Where all or most rows of a table would go, that is asked for by itself.
fn sweep_ui(ui: &mut Ui, plan: &DryRun, view: &PublishView, asked: &mut Vec<PublishAction>) {
    let Some((deleted, stored)) = plan.sweep() else { return };
    let tables: Vec<&str> = plan.swept().map(|table| &*table.table).collect();
    ui.add_space(4.0);
    trouble_label(
        ui,
        format!("{} of the {} rows of {} would go", grouped(deleted), grouped(stored), tables.join(" and ")),
    );
    let mut is_meant = view.is_sweep_meant;
    let words = format!("Delete {} rows: that is what I want", grouped(deleted));
    if ui.checkbox(&mut is_meant, words).changed() {
        asked.push(PublishAction::MeanDeletes(is_meant));
    }
}

/// Where the backup goes, and the name to type.
fn unlock_ui(ui: &mut Ui, view: &PublishView, asked: &mut Vec<PublishAction>) {
    ui.separator();
    ui.horizontal(|ui| {
        let label = ui.label("Backup");
        let mut backup = view.backup.clone();
        let field = TextEdit::singleline(&mut backup).hint_text("beside the store").desired_width(420.0);
        if ui.add(field).labelled_by(label.id).changed() {
            asked.push(PublishAction::PlaceBackup(backup));
        }
    });
    if view.is_unlocked {
        ui.horizontal(|ui| {
            ui.label("The store is unlocked for writing until it is closed");
            if ui.button("Lock again").clicked() {
                asked.push(PublishAction::Lock);
            }
        });
        return;
    }
    ui.label(
        "Stores are read-only. To unlock this one until it is closed, type its name. A backup is made before \
         anything is written; events are never changed.",
    );
    ui.horizontal(|ui| {
        let label = ui.label("Name of the store");
        let mut typed = view.typed.clone();
        let field =
            TextEdit::singleline(&mut typed).hint_text(format!("type {}", view.store)).desired_width(260.0);
        let response = ui.add(field).labelled_by(label.id);
        let is_entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if response.changed() {
            asked.push(PublishAction::TypeName(typed));
        }
        let is_wanted = ui.add_enabled(view.is_confirmed, Button::new("Unlock")).clicked();
        if is_wanted || (is_entered && view.is_confirmed) {
            asked.push(PublishAction::Unlock);
        }
    });
}

fn written_ui(ui: &mut Ui, published: &Published, restore: &str) {
    let Published { inserted, updated, deleted, backup, is_confirmed } = published;
    let rows = [(inserted, "inserted"), (updated, "updated"), (deleted, "deleted")];
    let rows: Vec<String> = rows.iter().map(|(count, what)| format!("{} {what}", grouped(**count))).collect();
    ui.label(RichText::new(format!("Written: {}", rows.join(", "))).strong());
    ui.label(if *is_confirmed {
        "All rows were read again after the transaction and are as they should be"
    } else {
        "Read again after the transaction, the rows are others: another program has written since"
    });
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.label("The store from before is in this file");
        if ui.button("Copy path").on_hover_text(backup.display().to_string()).clicked() {
            ui.ctx().copy_text(backup.display().to_string());
        }
    });
    ui.add(egui::Label::new(RichText::new(backup.display().to_string()).monospace()).wrap());
    ui.weak(restore);
}

fn buttons_ui(ui: &mut Ui, view: &PublishView, local: &PublishLocal, asked: &mut Vec<PublishAction>) {
    let sides = Layout::right_to_left(Align::Center);
    let size = egui::vec2(ui.available_width(), ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, sides, |ui| match &view.stage {
        PublishStage::Planned(plan) => {
            if !plan.tables.is_empty() {
                let write = Button::new(RichText::new("Write").strong());
                let write = ui.add_enabled(view.is_unlocked && view.is_sweep_meant, write);
                let missing = if view.is_unlocked {
                    "Say first that most rows are to be deleted"
                } else {
                    "Unlock the store first"
                };
                if write.on_disabled_hover_text(missing).clicked() {
                    let now = local.clock.map_or_else(|| Timestamp::from_nanos(0, 0), |clock| clock());
                    asked.push(PublishAction::Write(now));
                }
            }
            if ui.button("Close").clicked() {
                asked.push(PublishAction::Close);
            }
        }
        PublishStage::Writing(_) => {
            let stop = ui.button("Stop").on_hover_text("Until the transaction ends, nothing is written");
            if stop.clicked() {
                asked.push(PublishAction::Stop);
            }
        }
        PublishStage::Refused { can_try, .. } => {
            if *can_try && ui.button("List again").clicked() {
                asked.push(PublishAction::Again);
            }
            if ui.button("Close").clicked() {
                asked.push(PublishAction::Close);
            }
        }
        PublishStage::CatchingUp | PublishStage::Planning | PublishStage::Written { .. } => {
            if ui.button("Close").clicked() {
                asked.push(PublishAction::Close);
            }
            if matches!(view.stage, PublishStage::Written { .. })
                && view.is_unlocked
                && ui.button("Lock again").clicked()
            {
                asked.push(PublishAction::Lock);
            }
        }
    });
}
