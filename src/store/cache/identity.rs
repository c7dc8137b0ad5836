//! What a store's files look like, so that a later look can say whether they still hold the same.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::store::{
    cache::checksum::checksum,
    layout::{EventsTable, Form, Role, Source},
};

/// What the files of a store look like at one moment, and through which layout they are read.
///
/// Two equal identities mean equal contents where the file system moves a file's time of change with every
/// write: nobody can set that time, not even who sets the time of modification back. Where it does not, or
/// where nobody knows ([`Identity::is_dependable`]), equal identities prove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The file's path without links and detours, as bytes of the platform.
    pub path: Vec<u8>,
    /// [`fingerprint`] of the layout.
    pub layout: u64,
    /// The database file.
    pub database: FileMark,
    /// Its first 100 bytes: counters, number of pages, version of the schema.
    pub header: Vec<u8>,
    /// The write-ahead log, if there is one: its first 32 bytes and its file.
    pub log: Option<(Vec<u8>, FileMark)>,
    /// Whether a rollback journal lies beside it that was not finished.
    pub has_journal: bool,
    /// Whether the file system keeps inode numbers and times of change that can be relied upon.
    pub is_dependable: bool,
}

/// One file as its file system knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileMark {
    /// The device that it lies on; 0 where there is none.
    pub device: u64,
    /// Its number there; 0 where there is none.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// When its contents were last written, in nanoseconds since 1970; anybody may set this.
    pub modified: i64,
    /// When it was last written or renamed or given other times; nobody can set this. 0 where it is not kept.
    pub changed: i64,
}

/// What two identities say of the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Nothing was written in between.
    Same,
    /// Something was; events may have been added, and whether older ones were changed has to be found out.
    Grown,
    /// It is another file or another state of it; the reason, in words.
    Other(&'static str),
}

impl Identity {
    /// What became of the store with this identity, of which `now` is known.
    #[must_use]
    pub fn likeness(&self, now: &Self) -> Likeness {
        if self.path != now.path {
            return Likeness::Other("it is of another store");
        }
        if self.layout != now.layout {
            return Likeness::Other("it is read through another layout");
        }
        if self.has_journal || now.has_journal {
            return Likeness::Other("a transaction was left unfinished in it");
        }
        if self == now && self.is_dependable {
            return Likeness::Same;
        }
        let place = |identity: &Self| (identity.database.device, identity.database.inode);
        if self.is_dependable && now.is_dependable && place(self) != place(now) {
            return Likeness::Other("another file lies in its place");
        }
        if now.database.size < self.database.size {
            return Likeness::Other("it became smaller");
        }
        if self.header.get(..24) != now.header.get(..24) {
            return Likeness::Other("it was written anew");
        }
        // The counters of changes and of the schema go round at 2³²; an earlier state has smaller ones.
        let is_older = [24, 40].into_iter().any(|at| {
            let [then, now] = [&self.header, &now.header].map(|header| number(header, at));
            now.wrapping_sub(then) > u32::MAX / 2
        });
        if is_older {
            return Likeness::Other("it is an earlier state");
        }
        Likeness::Grown
    }

    /// The last time at which any of its files was changed, in nanoseconds since 1970.
    #[must_use]
    pub fn last_change(&self) -> i64 {
        let files = [Some(self.database), self.log.as_ref().map(|(_, mark)| *mark)];
        files.into_iter().flatten().map(|mark| mark.changed.max(mark.modified)).max().unwrap_or_default()
    }

    /// The path, to be shown.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        String::from_utf8_lossy(&self.path).into_owned().into()
    }

    /// The path as 64 bits, to name a file by.
    #[must_use]
    pub fn path_number(&self) -> u64 {
        checksum(&self.path)
    }
}

fn number(header: &[u8], at: usize) -> u32 {
    let four = header.get(at..).and_then(|rest| rest.first_chunk::<4>());
    four.map_or(0, |four| u32::from_be_bytes(*four))
}

/// What of a layout decides how an event is read, as 64 bits: tables, sources and forms, and not the
/// evidence, which is told in other words when there are more events.
#[must_use]
pub fn fingerprint(events: &EventsTable) -> u64 {
    let EventsTable { table, archives, joins, roles, order, unwrap } = events;
    let roles: Vec<(&Role, &Source, &Form)> =
        roles.iter().map(|(role, mapping)| (role, &mapping.source, &mapping.form)).collect();
    let columns: &Vec<Arc<str>> = &order.columns;
    checksum(format!("{table:?} {archives:?} {joins:?} {roles:?} {columns:?} {unwrap:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{FileMark, Identity, Likeness};

    fn identity() -> Identity {
        let mut header = vec![0; 100];
        (header[27], header[43]) = (9, 3);
        let database = FileMark { device: 1, inode: 2, size: 8192, modified: 50, changed: 60 };
        Identity {
            path: b"/shop.sqlite".to_vec(),
            layout: 7,
            database,
            header,
            log: None,
            has_journal: false,
            is_dependable: true,
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Identity), expected: Likeness) {
        let mut now = identity();
        change(&mut now);
        assert_eq!(identity().likeness(&now), expected, "{now:?}");
    }

    #[test]
    fn only_what_was_not_touched_is_the_same() {
        check(|_| (), Likeness::Same);
        check(|now| now.database.changed = 61, Likeness::Grown);
        check(|now| now.database.size = 12_288, Likeness::Grown);
        check(|now| now.header[27] = 10, Likeness::Grown);
        check(|now| now.header[26] = 1, Likeness::Grown);
        check(|now| now.log = Some((vec![1; 32], FileMark::default())), Likeness::Grown);
        check(|now| now.is_dependable = false, Likeness::Grown);
    }

    #[test]
    fn what_cannot_have_grown_is_another() {
        check(|now| now.layout = 8, Likeness::Other("it is read through another layout"));
        check(|now| now.database.inode = 3, Likeness::Other("another file lies in its place"));
        check(|now| now.database.size = 4096, Likeness::Other("it became smaller"));
        check(|now| now.header[27] = 8, Likeness::Other("it is an earlier state"));
        check(|now| now.header[43] = 2, Likeness::Other("it is an earlier state"));
        check(|now| now.header[17] = 2, Likeness::Other("it was written anew"));
        check(|now| now.has_journal = true, Likeness::Other("a transaction was left unfinished in it"));
    }

    #[test]
    fn where_the_file_system_cannot_be_relied_upon_nothing_is_the_same() {
        let loose = Identity { is_dependable: false, ..identity() };
        assert_eq!(loose.likeness(&loose), Likeness::Grown);
        let moved = Identity { database: FileMark { inode: 99, ..loose.database }, ..loose.clone() };
        assert_eq!(loose.likeness(&moved), Likeness::Grown, "inode numbers may not last there");
    }
}
