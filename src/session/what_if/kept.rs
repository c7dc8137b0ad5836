//! Branches in the project file.

use std::{path::PathBuf, sync::Arc};

use crate::{
    model::{Json, StreamVersion, Timestamp},
    project::sections::{BranchEntry, EditEntry, EditKind as EntryKind, SeenEntry},
    replay::{Branch, BranchReducer, Content, Edit, EditKind, EventHead, EventRef, Truth},
    session::{job::Job, opened::Opened},
};

impl Opened {
    /// Takes the branches that the project file holds; called once, when the streams are known.
    pub(crate) fn load_branches(&mut self) {
        let entries = self.kept.now.branches.clone();
        self.what_if.branches = entries.iter().map(|entry| self.branch_of(entry)).collect();
    }

    /// Looks up which streams of branches are there; the index may be another than before.
    pub(crate) fn find_branches(&mut self) {
        let names = || self.what_if.branches.iter().map(|branch| &branch.stream);
        let found = self.streams_called(names());
        let strayed = names().filter(|name| !found.contains_key(*name)).cloned().collect();
        self.what_if.strayed = strayed;
    }

    fn branch_of(&self, entry: &BranchEntry) -> Branch {
        let edits = match self.stream_called(&entry.stream) {
            Some(stream) => self.truth(stream, |truth| edits_of(entry, Some(truth))).unwrap_or_default(),
            None => edits_of(entry, None),
        };
        let reducer = match &entry.reducer {
            None => BranchReducer::Same,
            Some(path) if path.as_os_str().is_empty() => BranchReducer::Merge,
            Some(path) => BranchReducer::File(path.display().to_string().into()),
        };
        Branch { name: Arc::clone(&entry.name), stream: Arc::clone(&entry.stream), reducer, edits }
    }

    /// Keeps the branches in the project file.
    pub(super) fn keep_branches(&mut self) -> Vec<Job> {
        self.kept.now.branches = self.what_if.branches.iter().map(entry_of).collect();
        self.keep_trail();
        self.keep_job().into_iter().collect()
    }
}

fn edits_of(entry: &BranchEntry, truth: Option<&Truth<'_>>) -> Vec<Edit> {
    entry.edits.iter().map(|edit| edit_of(edit, truth)).collect()
}

fn edit_of(entry: &EditEntry, truth: Option<&Truth<'_>>) -> Edit {
    let name = |count: usize, seen: &Option<SeenEntry>| match seen {
        Some(seen) => EventRef { count, head: head_of(seen) },
        // Written by hand: whatever stands there is meant.
        None => truth
            .and_then(|truth| truth.name(count))
            .unwrap_or_else(|| EventRef { count, head: EventHead::default() }),
    };
    let behind = |count: usize, seen: &Option<SeenEntry>| (count > 0).then(|| name(count, seen));
    let event = || name(entry.event, &entry.seen);
    // What was written by hand and is no JSON is kept as a text, so that the next change does not lose it.
    let json = |text: &Option<Arc<str>>| {
        let said = text.as_ref().filter(|text| !text.trim().is_empty());
        said.map(|text| Json::typed(text)).unwrap_or_default()
    };
    let content = || Content {
        event_type: entry.event_type.clone().unwrap_or_else(|| event().head.event_type),
        data: json(&entry.data),
        metadata: json(&entry.metadata),
    };
    let kind = match entry.what {
        EntryKind::LeaveOut => EditKind::LeaveOut(event()),
        EntryKind::Change => EditKind::Replace { event: event(), content: content() },
        EntryKind::Insert => EditKind::Insert { after: behind(entry.event, &entry.seen), content: content() },
        EntryKind::Move => EditKind::Move {
            event: event(),
            after: behind(entry.after.unwrap_or_default(), &entry.after_seen),
        },
    };
    Edit { is_on: !entry.off, kind }
}

fn entry_of(branch: &Branch) -> BranchEntry {
    let reducer = match &branch.reducer {
        BranchReducer::Same => None,
        BranchReducer::Merge => Some(PathBuf::new()),
        BranchReducer::File(path) => Some(PathBuf::from(&**path)),
    };
    BranchEntry {
        name: Arc::clone(&branch.name),
        stream: Arc::clone(&branch.stream),
        reducer,
        edits: branch.edits.iter().map(edit_entry).collect(),
    }
}

fn edit_entry(edit: &Edit) -> EditEntry {
    let text = |json: &Json| (*json != Json::Null).then(|| Arc::from(json.to_compact()));
    let (what, event, after, content) = match &edit.kind {
        EditKind::LeaveOut(event) => (EntryKind::LeaveOut, Some(event), None, None),
        EditKind::Replace { event, content } => (EntryKind::Change, Some(event), None, Some(content)),
        EditKind::Insert { after, content } => (EntryKind::Insert, after.as_ref(), None, Some(content)),
        EditKind::Move { event, after } => (EntryKind::Move, Some(event), Some(after.as_ref()), None),
    };
    let count = |event: Option<&EventRef>| event.map_or(0, |event| event.count);
    EditEntry {
        what,
        event: count(event),
        seen: event.map(seen_of),
        after: after.map(count),
        after_seen: after.flatten().map(seen_of),
        event_type: content.map(|content| Arc::clone(&content.event_type)),
        data: content.and_then(|content| text(&content.data)),
        metadata: content.and_then(|content| text(&content.metadata)),
        off: !edit.is_on,
    }
}

fn seen_of(event: &EventRef) -> SeenEntry {
    SeenEntry {
        event_type: Arc::clone(&event.head.event_type),
        version: event.head.version.map(|version| version.0),
        time: event.head.time.map(|time| time.to_rfc3339().into()),
    }
}

fn head_of(seen: &SeenEntry) -> EventHead {
    EventHead {
        version: seen.version.map(StreamVersion),
        event_type: Arc::clone(&seen.event_type),
        time: seen.time.as_ref().and_then(|time| Timestamp::parse(time)),
    }
}
