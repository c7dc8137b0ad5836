//! Branches of a history: what is left out, changed, put in and moved, beside the truth.

use std::{ops::ControlFlow, sync::Arc};

use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any},
    proptest,
};
use timeglass::{
    model::{Failure, Json, RecordedEvent, StreamName, diff},
    replay::{
        Alignment, Applied, BranchEvents, Content, Edit, EditKind, EventHead, EventRef, Folding, HeldEvents,
        History, Merge, Misfit, OnFailure, Pair, Plan, Reducer, Sequence, Truth, fold,
    },
    store::memory::event,
    work::Work,
};

/// Members come and go, so that states differ in several ways.
fn recorded(choices: &[(u8, u8)]) -> Vec<RecordedEvent> {
    let stream = StreamName::of("order", "1");
    choices
        .iter()
        .zip(1..)
        .map(|((member, value), number)| {
            let name = format!("m{}", member % 5);
            let value = if value % 4 == 0 { Json::Null } else { Json::from(i64::from(*value)) };
            event(number, &stream, number + 10, "Changed", Json::object([(name, value)]))
        })
        .collect()
}

fn head(event: &RecordedEvent) -> EventHead {
    EventRef::of(0, event).head
}

fn content(value: u8) -> Content {
    let data = Json::object([(format!("m{}", value % 5), Json::from(i64::from(value) + 1000))]);
    Content { event_type: "Other".into(), data, metadata: Json::Null }
}

/// Edits from numbers: what is done, to which event, and where to.
fn edits(choices: &[(u8, u16, u16)], events: &[RecordedEvent]) -> Vec<Edit> {
    let name = |count: usize| EventRef::of(count, &events[count - 1]);
    let edit = |(what, which, place): &(u8, u16, u16)| {
        let event = name(usize::from(*which) % events.len() + 1);
        let after = usize::from(*place) % (events.len() + 1);
        let after = (after > 0).then(|| name(after));
        let kind = match what % 4 {
            0 => EditKind::LeaveOut(event),
            1 => EditKind::Replace { event, content: content(*what) },
            2 => EditKind::Insert { after, content: content(*what) },
            _ => EditKind::Move { event, after },
        };
        Edit { is_on: what % 16 < 12, kind }
    };
    choices.iter().map(edit).collect()
}

fn plan(edits: &[Edit], events: &[RecordedEvent]) -> (Plan, Vec<Misfit>) {
    let look = |count: usize| count.checked_sub(1).and_then(|place| events.get(place)).map(head);
    Plan::of(edits, &Truth { len: events.len(), head: &look })
}

/// What a branch has in the plainest way: each place of the truth is a list of what stands there.
fn edited(edits: &[Edit], events: &[RecordedEvent]) -> Vec<(Option<i64>, Json)> {
    let data = |json: &Json| json.clone();
    let mut own: Vec<Option<(Option<i64>, Json)>> = events
        .iter()
        .map(|event| Some((event.version.map(|version| version.0), data(event.data.json().unwrap()))))
        .collect();
    let mut behind: Vec<Vec<(Option<usize>, Json)>> = vec![Vec::new(); events.len() + 1];
    let is_left_out = |count: usize| {
        edits
            .iter()
            .any(|edit| edit.is_on && matches!(&edit.kind, EditKind::LeaveOut(event) if event.count == count))
    };
    for edit in edits.iter().filter(|edit| edit.is_on) {
        if let EditKind::Replace { event, content } = &edit.kind {
            own[event.count - 1].as_mut().unwrap().1 = content.data.clone();
        }
    }
    let contents = own.clone();
    for edit in edits.iter().filter(|edit| edit.is_on) {
        let at = |after: &Option<EventRef>| after.as_ref().map_or(0, |event| event.count);
        match &edit.kind {
            EditKind::Insert { after, content } => behind[at(after)].push((None, content.data.clone())),
            EditKind::Move { event, after } => {
                for others in &mut behind {
                    others.retain(|(from, _)| *from != Some(event.count));
                }
                let content = contents[event.count - 1].clone().unwrap();
                if at(after) == event.count {
                    own[event.count - 1] = Some(content);
                } else {
                    own[event.count - 1] = None;
                    behind[at(after)].push((Some(event.count), content.1));
                }
            }
            _ => (),
        }
    }
    let mut all = Vec::new();
    for place in 0..=events.len() {
        if place > 0 && !is_left_out(place) {
            all.extend(own[place - 1].clone());
        }
        for (from, data) in &behind[place] {
            if from.is_none_or(|from| !is_left_out(from)) {
                all.push((from.map(|from| from as i64 + 10), data.clone()));
            }
        }
    }
    all
}

fn branch(plan: Plan, events: &[RecordedEvent]) -> Arc<dyn Sequence> {
    let truth: Arc<dyn Sequence> = Arc::new(HeldEvents(events.to_vec()));
    Arc::new(BranchEvents::new(truth, Arc::new(StreamName::of("order", "1")), Arc::new(plan)))
}

fn read(events: &dyn Sequence, range: std::ops::Range<usize>) -> Vec<(usize, RecordedEvent)> {
    let mut all = Vec::new();
    events
        .visit(range, &Work::default(), &mut |count, event| {
            all.push((count, event.unwrap()));
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

fn history(events: Arc<dyn Sequence>, reducer: &Arc<dyn Reducer>) -> Arc<History> {
    Arc::new(History::new(events, Arc::clone(reducer), OnFailure::GoOn, 1 << 20))
}

fn pair(plan: &Plan, events: &[RecordedEvent]) -> Pair {
    let reducer: Arc<dyn Reducer> = Arc::new(Merge::for_category(None));
    let truth = history(Arc::new(HeldEvents(events.to_vec())), &reducer);
    let other = history(branch(plan.clone(), events), &reducer);
    // Folded, so that the comparison starts at a keyframe where it may.
    truth.fold_all(&Work::default()).unwrap();
    Pair { sides: [truth, other], alignment: Arc::new(plan.alignment()), shared: plan.untouched() }
}

proptest! {
    #[test]
    fn a_branch_without_edits_is_the_truth(choices in vec(any::<(u8, u8)>(), 0..300)) {
        let events = recorded(&choices);
        let (plan, misfits) = plan(&[], &events);
        assert_eq!(misfits, []);
        assert_eq!(
            read(&*branch(plan.clone(), &events), 0..usize::MAX).into_iter().map(|(_, event)| event).collect::<Vec<_>>(),
            events
        );
        let found = pair(&plan, &events).compare(&Work::default()).unwrap();
        assert_eq!((found.parts_at, found.differing, found.turns.len()), (None, 0, 0));
        assert_eq!(plan.alignment(), Alignment::by_count(events.len(), events.len()));
    }

    #[test]
    fn a_branch_is_the_list_of_events_edited_by_hand(
        choices in vec(any::<(u8, u8)>(), 1..40),
        changes in vec(any::<(u8, u16, u16)>(), 0..9),
        from in any::<u16>(),
    ) {
        let events = recorded(&choices);
        let edits = edits(&changes, &events);
        let (plan, misfits) = plan(&edits, &events);
        assert_eq!(misfits, []);
        let expected = edited(&edits, &events);
        assert_eq!(plan.len(), expected.len());
        let branch = branch(plan.clone(), &events);
        let all = read(&*branch, 0..usize::MAX);
        let plain: Vec<_> = all
            .iter()
            .map(|(_, event)| (event.version.map(|version| version.0), event.data.json().unwrap().clone()))
            .collect();
        assert_eq!(plain, expected);
        assert!(all.iter().map(|(count, _)| *count).eq(1..=plan.len()));
        for (count, event) in &all {
            assert_eq!(branch.event_type(*count).as_ref(), Some(&event.event_type));
            assert!(plan.origin(*count).is_some());
        }
        assert_eq!((branch.event_type(0), branch.event_type(plan.len() + 1)), (None, None));
        let from = usize::from(from) % (plan.len() + 1);
        assert_eq!(read(&*branch, from..from + 3), all[from..(from + 3).min(all.len())].to_vec());
        let (left, right) = plan.alignment().at(usize::MAX);
        assert_eq!((left, right), (events.len(), plan.len()));
    }

}

proptest! {
    // Brute force folds everything anew at every step.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_first_difference_and_all_turns_are_those_of_brute_force(
        choices in vec(any::<(u8, u8)>(), 1..130),
        changes in vec(any::<(u8, u16, u16)>(), 0..5),
    ) {
        let events = recorded(&choices);
        let (plan, _) = plan(&edits(&changes, &events), &events);
        let pair = pair(&plan, &events);
        let found = pair.compare(&Work::default()).unwrap();
        let mut differing = Vec::new();
        let mut turns = Vec::new();
        let mut paths = Vec::new();
        for step in 0..=pair.alignment.len() {
            let (left, right) = pair.alignment.at(step);
            let state = |history: &History, count| {
                let merge = Merge::for_category(None);
                fold(&**history.events(), count, &merge, OnFailure::GoOn, &Work::default()).unwrap().state
            };
            let changes = diff(&state(&pair.sides[0], left), &state(&pair.sides[1], right));
            assert_eq!(pair.beside(step, &Work::default()).unwrap().changes, changes);
            if !changes.is_empty() {
                differing.push(step);
            }
            let now: Vec<_> = changes.into_iter().map(|change| change.path).collect();
            if now != paths {
                turns.push(step);
            }
            paths = now;
        }
        assert_eq!(found.parts_at, differing.first().copied());
        assert_eq!(pair.first_difference(&Work::default()).unwrap(), differing.first().copied());
        assert_eq!(found.differing, differing.iter().filter(|step| **step > 0).count());
        assert_eq!(found.turns, turns);
        assert_eq!(found.at_end.is_empty(), differing.last() != Some(&pair.alignment.len()));
    }
}

#[test]
fn an_edit_that_fits_no_event_is_reported_and_not_applied() {
    let events = recorded(&[(1, 1), (2, 2), (3, 3)]);
    let leave_out = |event: EventRef| Edit { is_on: true, kind: EditKind::LeaveOut(event) };
    let mut other = EventRef::of(2, &events[1]);
    other.head.event_type = "Renamed".into();
    let (found, misfits) = plan(&[leave_out(other.clone()), leave_out(EventRef::of(3, &events[2]))], &events);
    assert_eq!(found.len(), 2);
    assert_eq!(
        misfits.iter().map(|misfit| (misfit.edit, misfit.to_string())).collect::<Vec<_>>(),
        [(0, "Renamed v12 is not there any more; Changed v12 stands in its place".to_owned())]
    );
    let gone = EventRef { count: 9, head: other.head };
    let (found, misfits) = plan(&[leave_out(gone)], &events);
    assert_eq!((found.len(), misfits.len()), (3, 1));
}

#[test]
fn an_edit_follows_its_event_when_others_came_before_it() {
    let events = recorded(&[(1, 1), (2, 2), (3, 3)]);
    let later = EventRef::of(1, &events[2]);
    let (found, misfits) = plan(&[Edit { is_on: true, kind: EditKind::LeaveOut(later) }], &events);
    assert_eq!(misfits, []);
    assert_eq!(read(&*branch(found, &events), 0..9).len(), 2);
}

/// Adds up, and refuses a second event of a kind.
struct Strict {
    is_resumable: bool,
}

struct Adding(i64, bool);

impl Reducer for Strict {
    fn name(&self) -> Arc<str> {
        "strict".into()
    }

    fn start<'w>(&self, _: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
        Ok(Box::new(Adding(0, self.is_resumable)))
    }

    fn handles(&self, _: &str) -> bool {
        true
    }
}

impl Folding for Adding {
    fn state(&mut self) -> Json {
        Json::from(self.0)
    }

    fn resume(&mut self, state: &Json, count: usize) {
        assert!(self.1 || count == 0, "it says that it cannot go on from anywhere else");
        self.0 = state.to_compact().parse().unwrap();
    }

    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
        if &*event.event_type == "Other" {
            return Err(Failure::new("no such event"));
        }
        self.0 += 1;
        Ok(Applied::default())
    }

    fn is_resumable(&mut self) -> bool {
        self.1
    }
}

#[test]
fn events_that_fail_before_the_first_edit_are_told_of_both_sides() {
    let mut events = recorded(&[(1, 1); 250]);
    events[9].event_type = "Other".into();
    let edit = EditKind::LeaveOut(EventRef::of(205, &events[204]));
    let (plan, _) = plan(&[Edit { is_on: true, kind: edit }], &events);
    let reducer: Arc<dyn Reducer> = Arc::new(Strict { is_resumable: true });
    let truth = history(Arc::new(HeldEvents(events.clone())), &reducer);
    let other = history(branch(plan.clone(), &events), &reducer);
    truth.fold_all(&Work::default()).unwrap();
    let pair =
        Pair { sides: [truth, other], alignment: Arc::new(plan.alignment()), shared: plan.untouched() };
    let found = pair.compare(&Work::default()).unwrap();
    assert_eq!(
        found.failed.each_ref().map(|failed| failed.keys().copied().collect::<Vec<_>>()),
        [[10], [10]]
    );
}

#[test]
fn a_reducer_that_cannot_be_resumed_is_folded_from_the_start_and_its_failures_are_found() {
    let events = recorded(&[(1, 1); 250]);
    let edit = EditKind::Replace { event: EventRef::of(205, &events[204]), content: content(1) };
    let (plan, _) = plan(&[Edit { is_on: true, kind: edit }], &events);
    let reducer: Arc<dyn Reducer> = Arc::new(Strict { is_resumable: false });
    let truth = history(Arc::new(HeldEvents(events.clone())), &reducer);
    let other = history(branch(plan.clone(), &events), &reducer);
    truth.fold_all(&Work::default()).unwrap();
    let pair =
        Pair { sides: [truth, other], alignment: Arc::new(plan.alignment()), shared: plan.untouched() };
    let found = pair.compare(&Work::default()).unwrap();
    assert_eq!((found.parts_at, found.differing, found.turns.as_slice()), (Some(205), 46, &[205_usize][..]));
    assert_eq!(found.failed[1].keys().copied().collect::<Vec<_>>(), [205]);
    assert_eq!(found.end, [Json::from(250_i64), Json::from(249_i64)]);
}

#[test]
fn a_comparison_that_is_withdrawn_stops() {
    let events = recorded(&[(1, 1); 250]);
    let (plan, _) = plan(&[], &events);
    let pair = pair(&plan, &events);
    let work = Work::default();
    work.cancel();
    assert!(pair.compare(&work).is_err());
    assert!(pair.compare(&Work::default()).is_ok());
}
