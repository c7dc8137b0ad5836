//! What the values of a column look like.

use std::collections::BTreeSet;

use crate::{
    model::{Encoding, Json, Stored},
    store::{
        decode::{self, Value},
        detect::sample::Sample,
        layout::Form,
    },
};

/// The looks of one column in a sample.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    /// Values that are not NULL.
    pub(super) filled: usize,
    /// Rows looked at.
    pub(super) rows: usize,
    pub(super) integers: usize,
    pub(super) texts: usize,
    pub(super) blobs: usize,
    /// Different values among the filled ones.
    pub(super) distinct: usize,
    /// Texts that could be the name of a type: `OrderPlaced`, `app.Opened/v2`, `shop:Order.Placed`.
    pub(super) identifiers: usize,
    /// Ids: UUIDs in any writing, ULIDs.
    pub(super) ids: usize,
    /// Ids that sort by time: UUIDs of version 7 and ULIDs.
    pub(super) sortable_ids: usize,
    /// 16-byte values.
    pub(super) sixteen: usize,
    /// 16-byte values that are a UUID as .NET writes it, its first fields turned round.
    pub(super) guids: usize,
    /// JSON objects and arrays, in any encoding that can be read.
    pub(super) objects: usize,
    /// Binary or marked-up values of a kind that is named but not read, most frequent last.
    pub(super) opaque: usize,
    /// The encoding met most.
    pub(super) encoding: Encoding,
    /// Mean length of texts and blobs, in bytes.
    pub(super) length: usize,
    /// The form in which nearly all values are times, if one fits.
    pub(super) time: Option<Form>,
    /// Of each row, what the value says if it is a document.
    pub(super) docs: Vec<Option<Json>>,
    /// Values rise from row to row among the first rows.
    pub(super) rises: bool,
}

impl Profile {
    /// Looks at one column.
    pub(super) fn of(sample: &Sample, column: usize) -> Self {
        let cells: Vec<&Stored> = sample.rows.iter().filter_map(|row| row.get(column)).collect();
        let mut profile = Self { rows: cells.len(), ..Self::default() };
        let mut distinct = BTreeSet::new();
        let mut bytes = 0;
        let mut encodings: Vec<(Encoding, usize)> = Vec::new();
        for cell in &cells {
            let mut doc = None;
            if **cell != Stored::Null {
                profile.filled += 1;
                let content = cell.bytes();
                bytes += content.len();
                doc = profile.count(cell, &mut encodings);
                distinct.insert(content);
            }
            profile.docs.push(doc);
        }
        profile.distinct = distinct.len();
        profile.length = bytes / profile.filled.max(1);
        profile.encoding = encodings
            .iter()
            .max_by_key(|(_, count)| *count)
            .map_or(Encoding::Absent, |(encoding, _)| *encoding);
        profile.time = time_form(&cells, profile.filled);
        profile
    }

    /// Notes whether the first rows' values rise.
    pub(super) fn look_for_rise(&mut self, sample: &Sample, column: usize) {
        let values = sample.integers.get(column).into_iter().flatten().filter_map(|value| *value);
        let values: Vec<i64> = values.collect();
        let rising = values.windows(2).filter(|pair| pair.first() < pair.last()).count();
        self.rises = values.len() > 1 && rising * 10 >= (values.len() - 1) * 9;
    }

    /// Counts one value in, and returns it if it is a document.
    fn count(&mut self, cell: &Stored, encodings: &mut Vec<(Encoding, usize)>) -> Option<Json> {
        match cell {
            Stored::Null | Stored::Real(_) => return None,
            Stored::Integer(_) => {
                self.integers += 1;
                return None;
            }
            Stored::Text(bytes) => {
                self.texts += 1;
                let text = std::str::from_utf8(bytes).unwrap_or_default();
                self.identifiers += usize::from(is_identifier(text));
                self.count_id(text);
                if !bytes.trim_ascii_start().starts_with(b"{")
                    && !bytes.trim_ascii_start().starts_with(b"[")
                    && !bytes.starts_with(b"<")
                    && !bytes.starts_with(b"---")
                    && !bytes.starts_with(b"\"")
                {
                    return None;
                }
            }
            Stored::Blob(bytes) => {
                self.blobs += 1;
                if bytes.len() == 16 {
                    self.sixteen += 1;
                    self.guids += usize::from(is_guid(bytes));
                    let time = decode::time(Value::Blob(bytes), Form::UuidV7);
                    self.sortable_ids += usize::from(time.is_some_and(|time| is_recent(time.year())));
                    return None;
                }
                if let Ok(text) = std::str::from_utf8(bytes) {
                    self.count_id(text);
                }
            }
        }
        let (encoding, decoded) = decode::read(Value::from(cell));
        match encodings.iter_mut().find(|(known, _)| *known == encoding) {
            Some((_, count)) => *count += 1,
            None => encodings.push((encoding, 1)),
        }
        let is_cut_json = encoding == Encoding::Text && cell.bytes().len() >= 4096;
        match decoded {
            Ok(json) if json.len().is_some() || json.as_text().is_some() => {
                self.objects += 1;
                Some(json)
            }
            _ => {
                let is_opaque = matches!(cell, Stored::Blob(_)) || encoding != Encoding::Text;
                self.opaque += usize::from(is_opaque && !is_cut_json);
                self.objects += usize::from(is_cut_json);
                None
            }
        }
    }

    fn count_id(&mut self, text: &str) {
        self.ids += usize::from(is_id(text));
        let sorts = |form| {
            decode::time(Value::Text(text.as_bytes()), form).is_some_and(|time| is_recent(time.year()))
        };
        self.sortable_ids +=
            usize::from((text.len() == 36 && sorts(Form::UuidV7)) || (text.len() == 26 && sorts(Form::Ulid)));
    }

    /// Whether at least this share of the filled values was counted.
    pub(super) fn mostly(&self, counted: usize, share: f64) -> bool {
        self.filled > 0 && counted as f64 >= share * self.filled as f64
    }

    /// Whether the values are documents, readable or not.
    pub(super) fn is_document(&self) -> bool {
        self.mostly(self.objects + self.opaque, 0.6) && !self.mostly(self.ids, 0.6)
    }

    /// Whether every value that is there is there once.
    pub(super) fn is_distinct(&self) -> bool {
        self.filled > 0 && self.distinct == self.filled
    }

    /// Whether values could name a thing: short texts, integers, 16-byte values.
    pub(super) fn is_name_like(&self) -> bool {
        !self.is_document()
            && (self.mostly(self.texts, 0.9)
                || self.mostly(self.integers, 0.9)
                || self.mostly(self.sixteen, 0.9))
            && self.length <= 300
    }

    /// How ids in this column are written.
    pub(super) fn id_form(&self) -> Form {
        match self.mostly(self.sixteen, 0.9) {
            true if self.mostly(self.guids, 0.9) => Form::GuidBytes,
            true => Form::UuidBytes,
            false => Form::Plain,
        }
    }
}

/// A text that could name a type, as languages write theirs: `__main__:Cart.<locals>.Opened`,
/// `Opened<Cart>`, ``Shop.Changed`1[[Shop.Cart, Shop]], Shop, Version=1.0.0.0``.
pub(super) fn is_identifier(text: &str) -> bool {
    const SIGNS: &str = r".:\/_-+, @<>[]`=#";
    let mut chars = text.chars();
    // A blank behind a comma parts the fields of an assembly's name, no words of a sentence.
    let blanks = text.matches(' ').count() - text.matches(", ").count();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && text.len() <= 400
        && chars.all(|c| c.is_alphanumeric() || SIGNS.contains(c))
        && blanks <= 3
        && !is_id(text)
}

/// Whether the version of a UUID stands where .NET puts it and not where all others do.
fn is_guid(bytes: &[u8]) -> bool {
    let version = |at: usize| bytes.get(at).is_some_and(|byte| (1..=8).contains(&(byte >> 4)));
    let is_variant = bytes.get(8).is_some_and(|byte| byte >> 6 == 2);
    is_variant && version(7) && !version(6)
}

/// A UUID with or without dashes, or a ULID.
pub(super) fn is_id(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        36 => {
            let mut parts = text.split('-');
            [8, 4, 4, 4, 12]
                .iter()
                .all(|length| parts.next().is_some_and(|part| part.len() == *length && hex(part)))
                && parts.next().is_none()
        }
        32 => hex(text),
        26 => {
            decode::time(Value::Text(text.as_bytes()), Form::Ulid).is_some_and(|time| is_recent(time.year()))
        }
        _ => false,
    }
}

fn is_recent(year: i32) -> bool {
    (2000..2050).contains(&year)
}

/// The form that makes nearly all values times between 2000 and 2049.
fn time_form(cells: &[&Stored], filled: usize) -> Option<Form> {
    const FORMS: [Form; 6] = [
        Form::Iso,
        Form::EpochSeconds,
        Form::EpochMillis,
        Form::EpochMicros,
        Form::EpochNanos,
        Form::JulianDay,
    ];
    if filled == 0 {
        return None;
    }
    FORMS.into_iter().find(|form| {
        let fitting = cells.iter().filter(|cell| is_time(Value::from(**cell), *form)).count();
        fitting as f64 >= 0.8 * filled as f64
    })
}

/// Whether the value is a time of these decades in this form.
pub(super) fn is_time(value: Value<'_>, form: Form) -> bool {
    decode::time(value, form).is_some_and(|time| is_recent(time.year()))
        && (form != Form::JulianDay || matches!(value, Value::Real(_)))
}
