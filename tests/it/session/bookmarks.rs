//! Places kept with notes, and the trail.

use timeglass::session::{
    Input,
    action::{Action, BookmarkAction, BrowseAction, CursorAction, ShellAction},
    job::Slot,
    view::Tick,
};

use super::{Script, shop};

impl Script {
    fn bookmark(&mut self, action: BookmarkAction) {
        self.feed(Input::Action(Action::Bookmarks(action)));
    }

    fn bookmarks(&self) -> Vec<String> {
        let rows = self.view().bookmarks.rows.iter();
        rows.map(|row| format!("{} {} {}", row.stream, row.place, row.note).trim().to_owned()).collect()
    }
}

#[test]
fn a_place_is_kept_with_a_note_found_again_and_let_go() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.cursor(CursorAction::ToCount(2));
    script.bookmark(BookmarkAction::Toggle);
    script.bookmark(BookmarkAction::Note(0, "paid here".to_owned()));
    assert_eq!(script.bookmarks(), ["order-1 v2 paid here"]);
    assert_eq!(script.view().bookmarks.here, Some(0));
    assert!(script.view().timeline.ticks.iter().any(|(_, tick)| *tick == Tick::Bookmark));
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    script.bookmark(BookmarkAction::Toggle);
    assert_eq!(script.bookmarks(), ["order-1 v2 paid here", "order-2 v1"]);

    script.bookmark(BookmarkAction::GoTo(0));
    assert_eq!(script.state(), r#"{"status":"paid","total":10}"#);
    script.shell(ShellAction::Back);
    assert_eq!(&*script.view().state.stream, "order-2");
    script.bookmark(BookmarkAction::Remove(0));
    assert_eq!(script.bookmarks(), ["order-2 v1"]);
    assert_eq!(script.view().bookmarks.undo.as_deref(), Some("paid here"));
    script.bookmark(BookmarkAction::Undo);
    assert_eq!(script.bookmarks(), ["order-1 v2 paid here", "order-2 v1"]);
    script.bookmark(BookmarkAction::Toggle);
    assert_eq!(script.bookmarks(), ["order-1 v2 paid here"], "the one at the cursor is let go");
}

#[test]
fn bookmarks_of_a_stream_are_gone_through() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    for count in [1, 3] {
        script.cursor(CursorAction::ToCount(count));
        script.bookmark(BookmarkAction::Toggle);
    }
    script.cursor(CursorAction::Home);
    script.bookmark(BookmarkAction::Turn(true));
    assert_eq!(script.view().state.place, "v1 of 3");
    script.bookmark(BookmarkAction::Turn(true));
    assert_eq!(script.view().state.place, "v3 of 3");
    script.bookmark(BookmarkAction::Turn(true));
    assert_eq!(script.view().notices.last().unwrap().title, "There is no bookmark after this place");
    script.bookmark(BookmarkAction::Turn(false));
    assert_eq!(script.view().state.place, "v1 of 3");
}

#[test]
fn the_places_gone_to_are_listed_the_last_first() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.browse(BrowseAction::ChooseRow(0));
    script.browse(BrowseAction::ChooseStream(script.stream("customer-7")));
    let trail = |script: &Script| {
        let rows = script.view().bookmarks.trail.iter();
        rows.map(|row| format!("{} {}", row.stream, row.place).trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(trail(&script), ["order-1 v1", "order-1 v3", "event 6"]);
    script.bookmark(BookmarkAction::Return(1));
    assert_eq!(script.view().state.place, "v3 of 3");
    assert_eq!(trail(&script)[0], "customer-7 v1", "going back is a jump, too");
}

#[test]
fn what_changes_while_the_file_is_being_written_is_written_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Script::open_in(folder.path(), shop());
    let toggle = || Input::Action(Action::Bookmarks(BookmarkAction::Toggle));
    let slow = script.session.apply(toggle());
    let at_once = script.session.apply(toggle());
    assert!(at_once.iter().all(|job| job.slot != Slot::Keep), "one at a time");
    script.run(slow);
    assert!(script.bookmarks().is_empty());
    let text = std::fs::read_to_string(folder.path().join("timeglass.toml")).unwrap();
    assert!(!text.contains("bookmark"), "{text}");
}
