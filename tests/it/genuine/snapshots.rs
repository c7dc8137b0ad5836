//! Stored states against those that the reducers make.

use std::{collections::BTreeSet, sync::Arc};

use timeglass::model::{Json, StoredSnapshot, diff};

use super::{
    replayed::{Replayed, Timeline},
    same,
    table::{Exception, Row, Stored},
};

/// Compares every stored state of the store; returns what is wrong.
pub(super) fn check(row: &Row, replayed: &Replayed, expected: &Json) -> Vec<String> {
    let snapshots = crate::support::snapshots(&*replayed.store, None).unwrap();
    let mut check = Check { row, replayed, expected, agreeing: 0, met: BTreeSet::new(), wrong: Vec::new() };
    for snapshot in &snapshots {
        match row.stored {
            Stored::ByHash => check.by_hash(snapshot),
            Stored::Pickled => check.pickled(snapshot),
            Stored::Wrong => check.audited(snapshot),
            Stored::Whole | Stored::Member(_) | Stored::Beside(_) => check.one(snapshot),
        }
    }
    check.all_is_met(snapshots.len());
    check.wrong
}

struct Check<'a> {
    row: &'a Row,
    replayed: &'a Replayed,
    expected: &'a Json,
    agreeing: usize,
    /// The exceptions that were met, by their place in the row.
    met: BTreeSet<usize>,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn one(&mut self, snapshot: &StoredSnapshot) {
        let (stream, version) = place(snapshot);
        let exceptions = || self.row.exceptions.iter().enumerate();
        let exception = exceptions().find(|(_, exception)| exception.is_of(&stream, version));
        let Some((number, exception)) = exception else {
            let verdict = self.state_at(&stream, version).and_then(|(timeline, state)| {
                same(state, &domain(self.row.stored, snapshot)?)
                    .map_err(|trouble| format!("{trouble} ({})", timeline.file))
            });
            return self.note(verdict, || format!("{stream} at version {version}, {}", snapshot.table));
        };
        self.met.insert(number);
        let verdict = self.excepted(exception, snapshot);
        self.note(verdict.map(|()| false), || format!("{stream} at version {version}, an exception"));
    }

    /// A stored state that is known to be no state of its stream at its version.
    fn excepted(&self, exception: &Exception, snapshot: &StoredSnapshot) -> Result<(), String> {
        match exception {
            Exception::NoEvents(stream, _) => {
                let found = self.replayed.stream(stream).map(|timeline| timeline.name.clone());
                found.map_or(Ok(()), |found| Err(format!("{found} has events after all")))
            }
            Exception::Beyond(stream, version) => {
                let timeline = self.replayed.stream(stream).ok_or("there is no such stream")?;
                timeline.at_version(*version).map_or(Ok(()), |_| Err("there is such a version".to_owned()))
            }
            Exception::Differs(stream, version, path) => {
                let (_, state) = self.state_at(stream, *version)?;
                let found = diff(state, &domain(self.row.stored, snapshot)?);
                let found = Json::array(found.iter().map(timeglass::model::Change::to_json));
                let defect = self.defect(stream)?;
                let member = |name| defect.get(name).cloned().unwrap_or_default();
                let planted = Json::object([
                    ("path", Json::from(*path)),
                    ("op", Json::from("change")),
                    ("old", member("expected")),
                    ("new", member("actual")),
                ]);
                same(&found, &Json::array([planted])).map(drop)
            }
        }
    }

    /// The planted defect of a stream's snapshot.
    fn defect(&self, stream: &str) -> Result<&Json, String> {
        let defects = self.expected.get("defects").and_then(Json::as_array).unwrap_or_default();
        let text = |value: Option<&Json>| value.and_then(Json::as_text).map(str::to_owned);
        let id = |defect: &Json| {
            text(defect.get("aggregate_id")).or_else(|| text(defect.get("where")?.get("aggregate_id")))
        };
        let is_it = |defect: &&Json| {
            text(defect.get("kind")).as_deref() == Some("snapshot_mismatch")
                && id(defect).as_deref() == Some(stream)
        };
        defects.iter().find(is_it).ok_or_else(|| "no defect was planted here".to_owned())
    }

    /// A state under its own hash: of exactly one stream, after an event of the snapshot's time.
    fn by_hash(&mut self, snapshot: &StoredSnapshot) {
        let verdict = domain(self.row.stored, snapshot).and_then(|state| {
            let owners: Vec<&str> = self
                .replayed
                .streams()
                .filter(|timeline| {
                    let times = timeline.times.iter().zip(timeline.states.iter().skip(1));
                    times.into_iter().any(|(time, made)| *time == snapshot.time && *made == state)
                })
                .map(|timeline| timeline.name.as_str())
                .collect();
            if owners.len() == 1 { Ok(true) } else { Err(format!("it is the state of {owners:?}")) }
        });
        self.note(verdict, || format!("the snapshot {:?}", snapshot.label));
    }

    /// A pickle: the file's bytes stay bytes, and the expectations say what is in some of them.
    fn pickled(&mut self, snapshot: &StoredSnapshot) {
        let (stream, version) = place(snapshot);
        let is_pickle = snapshot.state.decoded.as_ref().is_err_and(|problem| problem.contains("pickle"));
        let sample = samples(self.expected).iter().find(|sample| (self.row.stream_of)(sample) == stream);
        let told = sample.and_then(|sample| sample.get("pickled_snapshot_state"));
        let verdict = match told {
            _ if !is_pickle => Err("it is no pickle".to_owned()),
            Some(told) => self.state_at(&stream, version).and_then(|(_, state)| same(state, told)),
            // Of the other streams nobody said what is in the pickle.
            None => self.state_at(&stream, version).map(|_| false),
        };
        self.note(verdict, || format!("{stream} at version {version}"));
    }

    /// A state that a bug of the library made: the expectations hold it, and the right one.
    fn audited(&mut self, snapshot: &StoredSnapshot) {
        let (stream, version) = place(snapshot);
        let audits = self.expected.get("snapshot_audit").and_then(Json::as_array).unwrap_or_default();
        let text =
            |audit: &Json, name: &str| audit.get(name).and_then(Json::as_text).unwrap_or_default().to_owned();
        let audit = audits.iter().find(|audit| {
            format!("{}-{}", text(audit, "aggregate_type"), text(audit, "aggregate_id")) == stream
                && audit.get("last_sequence") == Some(&Json::from(version))
        });
        let verdict = audit.ok_or_else(|| "no audit tells of it".to_owned()).and_then(|audit| {
            let told = |name: &str| audit.get(name).cloned().unwrap_or_default();
            same(&domain(self.row.stored, snapshot)?, &told("snapshot"))?;
            let (_, state) = self.state_at(&stream, version)?;
            same(state, &told("replay"))?;
            match same(state, &told("snapshot")) {
                Ok(_) => Err("it is right after all".to_owned()),
                Err(_) => Ok(false),
            }
        });
        self.note(verdict, || format!("{stream} at version {version}"));
    }

    fn state_at(&self, stream: &str, version: i64) -> Result<(&Timeline, &Json), String> {
        let timeline = self.replayed.stream(stream).ok_or("there is no such stream")?;
        let state = timeline.at_version(version).ok_or("the stream has no such version")?;
        Ok((timeline, state))
    }

    /// Counts a state that agrees, or keeps what is wrong.
    fn note(&mut self, verdict: Result<bool, String>, place: impl FnOnce() -> String) {
        match verdict {
            Ok(agrees) => self.agreeing += usize::from(agrees),
            Err(trouble) => self.wrong.push(format!("{}: {}: {trouble}", self.row.store, place())),
        }
    }

    /// Nothing was compared by halves: the figures of the row are the store's.
    fn all_is_met(&mut self, all: usize) {
        let Self { row, agreeing, .. } = *self;
        if agreeing != row.agreeing {
            self.wrong.push(format!(
                "{}: {agreeing} of {all} stored states agree, not {}",
                row.store, row.agreeing
            ));
        }
        for (number, exception) in row.exceptions.iter().enumerate() {
            if !self.met.contains(&number) {
                self.wrong.push(format!("{}: {exception:?} was not met", row.store));
            }
        }
        if row.stored == Stored::Wrong {
            let audits = self
                .expected
                .get("snapshot_audit")
                .and_then(Json::as_array)
                .map(timeglass::model::Array::len);
            if audits != Some(all) {
                self.wrong.push(format!("{}: {all} snapshots and {audits:?} audits", row.store));
            }
        }
    }
}

impl Exception {
    fn is_of(&self, name: &str, at: i64) -> bool {
        let (Self::Differs(stream, version, _)
        | Self::NoEvents(stream, version)
        | Self::Beyond(stream, version)) = self;
        // The name is whole, the exception may give the id alone.
        *version == at && (name == *stream || name.ends_with(&format!("-{stream}")))
    }
}

/// The domain's part of a stored state.
fn domain(stored: Stored, snapshot: &StoredSnapshot) -> Result<Json, String> {
    let state = snapshot.state.decoded.as_ref().map_err(ToString::to_string)?;
    match stored {
        Stored::Member(name) => state.get(name).cloned().ok_or_else(|| format!("it has no member {name}")),
        Stored::Beside(names) => {
            let members = state.as_object().ok_or("it is no object")?;
            if let Some(name) = names.iter().find(|name| members.get(name).is_none()) {
                return Err(format!("it has no member {name}"));
            }
            let own = members.iter().filter(|(name, _)| !names.contains(&&***name));
            Ok(Json::object(own.map(|(name, value)| (Arc::clone(name), value.clone()))))
        }
        Stored::Whole | Stored::ByHash | Stored::Pickled | Stored::Wrong => Ok(state.clone()),
    }
}

fn place(snapshot: &StoredSnapshot) -> (String, i64) {
    let stream = snapshot.stream.as_ref().map(|stream| stream.full().to_string());
    (stream.expect("it has a stream"), snapshot.version.expect("it has a version").0)
}

/// The streams that the expectations tell of.
pub(super) fn samples(expected: &Json) -> &timeglass::model::Array {
    expected.get("sample_streams").and_then(Json::as_array).unwrap_or_default()
}
