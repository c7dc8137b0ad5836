//! What an event is to say, while the user writes it.

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    model::{Json, StreamVersion},
    replay::{Content, EditKind, EventRef, History},
    session::{
        job::{Job, Slot},
        notice::Notices,
        opened::Opened,
        view::DraftView,
        what_if::{Target, WhatIfAction, WhatIfQuestion, job},
    },
    store::StoreResult,
    work::Work,
};

/// An event, or a place, as the user writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftTexts {
    /// The event's type.
    pub event_type: String,
    /// Its data, as JSON.
    pub data: String,
    /// Its metadata, as JSON; empty means none.
    pub metadata: String,
    /// For a move: after which version; `start` means before the first event.
    pub after: String,
}

/// What the texts are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The event says this instead.
    Replace(EventRef),
    /// An event that says this happens after that.
    Insert(Option<EventRef>),
    /// The event stands elsewhere.
    Move(EventRef),
    /// The edit at this place of the branch is another.
    Revise(usize, EditKind),
}

/// What is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    purpose: Purpose,
    /// The stream that it is about.
    stream: Arc<str>,
    texts: DraftTexts,
    trouble: Option<String>,
}

/// A draft that starts with what an event says.
pub struct DraftOf {
    purpose: Purpose,
    stream: Arc<str>,
    /// The history, and the count of the event in it.
    event: (Arc<History>, usize),
}

impl DraftOf {
    /// Reads the event.
    pub(super) fn read(self, work: &Work) -> StoreResult<Draft> {
        let (history, count) = self.event;
        let mut content = Content::default();
        if let Some(before) = count.checked_sub(1) {
            history.events().visit(before..count, work, &mut |_, event| {
                content = event.as_ref().map(Content::of).unwrap_or_default();
                ControlFlow::Break(())
            })?;
        }
        Ok(Draft {
            purpose: self.purpose,
            stream: self.stream,
            texts: DraftTexts::of(&content),
            trouble: None,
        })
    }
}

impl DraftTexts {
    fn of(content: &Content) -> Self {
        let metadata =
            if content.metadata == Json::Null { String::new() } else { content.metadata.to_pretty() };
        Self {
            event_type: content.event_type.to_string(),
            data: content.data.to_pretty(),
            metadata,
            after: String::new(),
        }
    }
}

/// What an event of these texts says; or what is wrong with them, in words.
pub fn content_of(texts: &DraftTexts) -> Result<Content, String> {
    let event_type = texts.event_type.trim();
    if event_type.is_empty() {
        return Err("The event needs a type".to_owned());
    }
    let read = |name: &str, text: &str| match text.trim() {
        "" => Ok(Json::Null),
        _ => Json::parse(text.as_bytes()).map_err(|err| {
            let before = text.get(..err.offset).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("The {name} is no JSON: {} (line {line}, column {column})", err.what)
        }),
    };
    Ok(Content {
        event_type: event_type.into(),
        data: read("data", &texts.data)?,
        metadata: read("metadata", &texts.metadata)?,
    })
}

impl Draft {
    pub(super) fn view(&self, number: u64) -> DraftView {
        let title = match &self.purpose {
            Purpose::Replace(event) => format!("Edit {event}"),
            Purpose::Insert(Some(event)) => format!("Insert an event after {event}"),
            Purpose::Insert(None) => "Insert an event before the first".to_owned(),
            Purpose::Move(event) => format!("Move {event}"),
            Purpose::Revise(_, kind) => {
                let words = kind.to_string();
                let mut letters = words.chars();
                letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
            }
        };
        DraftView {
            number,
            title,
            is_move: self.is_move(),
            texts: self.texts.clone(),
            trouble: self.trouble.clone(),
        }
    }

    fn is_move(&self) -> bool {
        matches!(self.purpose, Purpose::Move(_) | Purpose::Revise(_, EditKind::Move { .. }))
    }
}

impl Opened {
    /// Opens a draft of what the action asks for.
    pub(super) fn begin_draft(&mut self, action: &WhatIfAction, notices: &mut Notices) -> Vec<Job> {
        let target = match *action {
            WhatIfAction::Revise(place) => return self.revise(place),
            WhatIfAction::Edit(target)
            | WhatIfAction::InsertBefore(target)
            | WhatIfAction::InsertAfter(target)
            | WhatIfAction::Move(target) => target,
            _ => return Vec::new(),
        };
        if target == Target::Cursor
            && let Some(edit) = self.what_if.inserted_at(self.cursor.count)
        {
            return self.revise(edit);
        }
        let Some((event, mut jobs)) = self.target_event(target, notices) else { return Vec::new() };
        let count = event.count;
        let about = self.focus_name().unwrap_or_default();
        let purpose = match action {
            WhatIfAction::Edit(_) => Purpose::Replace(event),
            WhatIfAction::InsertAfter(_) => Purpose::Insert(Some(event)),
            WhatIfAction::InsertBefore(_) => {
                let stream = self.browse.focus.unwrap_or_default();
                Purpose::Insert(self.truth(stream, |truth| truth.name(count - 1)).flatten())
            }
            _ => {
                let texts = DraftTexts { after: self.name_before(count), ..DraftTexts::default() };
                let purpose = Purpose::Move(event);
                self.take_draft(Draft { purpose, stream: about, texts, trouble: None });
                return jobs;
            }
        };
        if let Some(history) = self.truth_history() {
            let of = DraftOf { purpose, stream: about, event: (history, count) };
            jobs.push(job(Slot::Draft, WhatIfQuestion::Draft(of)));
        }
        jobs
    }

    /// Which event stands before another, as it is typed.
    fn name_before(&self, count: usize) -> String {
        let stream = self.browse.focus.unwrap_or_default();
        let before = count.checked_sub(1).filter(|before| *before > 0);
        before.map_or_else(|| "start".to_owned(), |before| self.truth_words(stream, before))
    }

    fn revise(&mut self, place: usize) -> Vec<Job> {
        let Some(branch) = self.what_if.branch() else { return Vec::new() };
        let Some(edit) = branch.edits.get(place).cloned() else { return Vec::new() };
        let stream = Arc::clone(&branch.stream);
        let texts = match &edit.kind {
            EditKind::LeaveOut(_) => return Vec::new(),
            EditKind::Replace { content, .. } | EditKind::Insert { content, .. } => DraftTexts::of(content),
            EditKind::Move { after, .. } => {
                let after = after.as_ref().map_or_else(
                    || "start".to_owned(),
                    |event| self.truth_words(self.browse.focus.unwrap_or_default(), event.count),
                );
                DraftTexts { after, ..DraftTexts::default() }
            }
        };
        let purpose = Purpose::Revise(place, edit.kind);
        self.take_draft(Draft { purpose, stream, texts, trouble: None });
        Vec::new()
    }

    pub(super) fn take_draft(&mut self, draft: Draft) {
        self.what_if.drafts += 1;
        self.what_if.draft = Some(Arc::new(draft));
    }

    /// Makes an edit of what was written; or says what is wrong with it and keeps it.
    pub(super) fn apply_draft(&mut self, texts: &DraftTexts, notices: &mut Notices) -> Vec<Job> {
        let Some(draft) = self.what_if.draft.clone() else { return Vec::new() };
        if !self.is_at_hand(&draft) {
            notices.warning(
                format!("This draft belongs to another branch or stream: {}", draft.stream),
                "",
                "Go back there to apply it; until then it stays as it is",
            );
            return Vec::new();
        }
        let kind = if draft.is_move() {
            self.typed_place(&texts.after).map(|after| match &draft.purpose {
                Purpose::Revise(_, EditKind::Move { event, .. }) | Purpose::Move(event) => {
                    EditKind::Move { event: event.clone(), after }
                }
                Purpose::Revise(_, kind) => kind.clone(),
                Purpose::Replace(event) | Purpose::Insert(Some(event)) => EditKind::LeaveOut(event.clone()),
                Purpose::Insert(None) => EditKind::Insert { after: None, content: Content::default() },
            })
        } else {
            content_of(texts).map(|content| match &draft.purpose {
                Purpose::Replace(event) | Purpose::Revise(_, EditKind::Replace { event, .. }) => {
                    EditKind::Replace { event: event.clone(), content }
                }
                Purpose::Insert(after) | Purpose::Revise(_, EditKind::Insert { after, .. }) => {
                    EditKind::Insert { after: after.clone(), content }
                }
                Purpose::Revise(_, kind) => kind.clone(),
                Purpose::Move(event) => EditKind::LeaveOut(event.clone()),
            })
        };
        match (kind, &draft.purpose) {
            (Err(trouble), _) => {
                let kept = Draft { texts: texts.clone(), trouble: Some(trouble), ..Draft::clone(&draft) };
                self.what_if.draft = Some(Arc::new(kept));
                Vec::new()
            }
            (Ok(kind), Purpose::Revise(place, _)) => {
                let place = *place;
                self.what_if.draft = None;
                self.change_branch(Some(place), |branch| {
                    branch.edits.get_mut(place).map(|edit| edit.kind = kind).is_some()
                })
            }
            (Ok(kind), _) => self.add_edit(kind),
        }
    }

    /// Whether what a draft is about is still chosen: its stream, or the edit that it changes.
    fn is_at_hand(&self, draft: &Draft) -> bool {
        let is_of_focus = self.focus_name().as_ref() == Some(&draft.stream);
        match &draft.purpose {
            Purpose::Revise(place, kind) => {
                let edit = self.what_if.branch().and_then(|branch| branch.edits.get(*place));
                edit.is_some_and(|edit| edit.kind == *kind) && (is_of_focus || !draft.is_move())
            }
            Purpose::Replace(_) | Purpose::Insert(_) | Purpose::Move(_) => is_of_focus,
        }
    }

    /// The event after which something is to stand, as the user typed it.
    fn typed_place(&self, text: &str) -> Result<Option<EventRef>, String> {
        let text = text.trim();
        if matches!(text, "start" | "the start") {
            return Ok(None);
        }
        let version = text.trim_start_matches(['v', 'V']).trim().parse::<i64>();
        let stream = self.browse.focus.unwrap_or_default();
        let count = match version {
            Ok(version) => {
                self.truth(stream, |truth| truth.count_of_version(StreamVersion(version))).flatten()
            }
            Err(_) => text.strip_prefix("event ").and_then(|count| count.trim().parse().ok()),
        };
        let found = count.and_then(|count| self.truth(stream, |truth| truth.name(count)).flatten());
        found.map(Some).ok_or_else(|| {
            let span = self.index.as_ref().and_then(|index| {
                let info = index.stream(stream)?;
                Some(format!("; versions are {} to {}", info.first_version?, info.last_version?))
            });
            format!("There is no version “{text}”{}; type a version, or start", span.unwrap_or_default())
        })
    }
}
