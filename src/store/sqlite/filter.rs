//! A query as conditions of SQL, as far as columns allow, and as a look at each event for the rest.

use std::sync::Arc;

use rusqlite::types::Value as Bound;

use crate::{
    model::{EventQuery, GlobalPosition, RecordedEvent, StreamName, Timestamp},
    store::{
        layout::{Form, Role, Source},
        sqlite::{
            plan::{Plan, link_condition, own, quote},
            rows::NO_STREAM,
        },
    },
};

/// The part of a query that SQL can answer. It lets through everything that answers the query, and
/// perhaps more.
#[derive(Debug, Default, Clone)]
pub(super) struct Filter {
    pub(super) conditions: Vec<String>,
    pub(super) values: Vec<Bound>,
}

/// So many event types are asked for one by one; more are looked at in each event.
const MOST_TYPES: usize = 200;

/// A day in nanoseconds.
const DAY: i64 = 86_400_000_000_000;

impl Filter {
    /// The filter of a query. Each condition relies on an index over the column that it names, if
    /// the store has one; it is right without.
    pub(super) fn new(plan: &Plan, query: &EventQuery) -> Self {
        let mut filter = Self::default();
        if let Some(stream) = &query.stream {
            filter.stream(plan, stream);
        }
        if let Some(category) = &query.category {
            filter.category(plan, category.as_ref());
        }
        if !query.types.is_empty() && query.types.len() <= MOST_TYPES {
            filter.types(plan, &query.types);
        }
        if let Some(after) = &query.after {
            filter.after(plan, after);
        }
        filter.times(plan, query.from, query.to);
        filter
    }

    fn stream(&mut self, plan: &Plan, stream: &StreamName) {
        let names: Vec<&Arc<str>> = stream.stored.iter().chain([&stream.id]).collect();
        if &*stream.id == NO_STREAM || names.iter().any(|name| is_mended(name)) {
            return;
        }
        let Some(mapping) = plan.events.role(Role::Stream) else { return };
        let values = spellings(&names, mapping.form);
        if let Some((column, _)) = plan.column(Role::Stream) {
            self.one_of(&column, values);
            return;
        }
        let Source::Column { table: Some(table), column } = &mapping.source else { return };
        let Some(join) = plan.events.joins.iter().find(|join| join.table == *table) else { return };
        // The other way round than the look-up in a row: relies on an index over the joined column.
        let (here, there) = (own(&join.on.0), quote(&join.on.1));
        let marks = vec!["?"; values.len()].join(", ");
        let links = link_condition(&plan.events, join);
        self.conditions.push(format!(
            "{here} IN (SELECT j.{there} FROM {} AS j WHERE j.{} IN ({marks}){links})",
            quote(table),
            quote(column)
        ));
        self.values.extend(values);
    }

    fn category(&mut self, plan: &Plan, category: Option<&Arc<str>>) {
        let Some((column, mapping)) = plan.column(Role::Category) else { return };
        if let Some(category) = category.filter(|category| !is_mended(category)) {
            self.one_of(&column, spellings(&[category], mapping.form));
        }
    }

    fn types(&mut self, plan: &Plan, types: &[Arc<str>]) {
        // An empty type stands for none, which may be stored as NULL.
        if types.iter().any(|name| name.is_empty() || is_mended(name)) {
            return;
        }
        if let Some((column, mapping)) = plan.column(Role::EventType) {
            self.one_of(&column, spellings(&types.iter().collect::<Vec<_>>(), mapping.form));
        }
    }

    fn after(&mut self, plan: &Plan, after: &GlobalPosition) {
        let Some((column, mapping)) = plan.column(Role::GlobalPosition) else { return };
        if mapping.form != Form::Plain {
            return;
        }
        self.conditions.push(format!("{column} > ?"));
        self.values.push(match after {
            GlobalPosition::Number(number) => Bound::Integer(*number),
            GlobalPosition::Text(text) => Bound::Text(text.to_string()),
        });
    }

    /// Time ranges where the stored form sorts as time does, with a margin for zones and units.
    fn times(&mut self, plan: &Plan, from: Option<Timestamp>, to: Option<Timestamp>) {
        let Some((column, mapping)) = plan.column(Role::Time) else { return };
        let bound = |nanos: i64, margin: i64| {
            let nanos = nanos.saturating_add(margin);
            Some(match mapping.form {
                Form::EpochSeconds => Bound::Integer(nanos.div_euclid(1_000_000_000)),
                Form::EpochMillis => Bound::Integer(nanos.div_euclid(1_000_000)),
                Form::EpochMicros => Bound::Integer(nanos.div_euclid(1_000)),
                Form::EpochNanos => Bound::Integer(nanos),
                Form::Iso => Bound::Text(Timestamp::from_nanos(nanos, 0).to_date(crate::model::Zone::Utc)),
                Form::Plain
                | Form::UuidBytes
                | Form::GuidBytes
                | Form::JulianDay
                | Form::UuidV7
                | Form::Ulid => return None,
            })
        };
        if let Some(bound) = from.and_then(|from| bound(from.nanos(), -DAY)) {
            self.conditions.push(format!("{column} >= ?"));
            self.values.push(bound);
        }
        if let Some(bound) = to.and_then(|to| bound(to.nanos(), 2 * DAY)) {
            // Digits kept as text sort behind all numbers.
            let text = if mapping.form == Form::Iso { "" } else { " OR typeof({column}) = 'text'" };
            self.conditions.push(format!("({column} <= ?{})", text.replace("{column}", &column)));
            self.values.push(bound);
        }
    }

    fn one_of(&mut self, column: &str, values: Vec<Bound>) {
        self.conditions.push(format!("{column} IN ({})", vec!["?"; values.len()].join(", ")));
        self.values.extend(values);
    }
}

/// Every way in which a column may hold a name that we show as one of these texts.
pub(super) fn spellings(names: &[&Arc<str>], form: Form) -> Vec<Bound> {
    let mut values = Vec::new();
    for name in names {
        values.push(Bound::Text(name.to_string()));
        values.push(Bound::Blob(name.as_bytes().to_vec()));
        if let Ok(number) = name.parse() {
            values.push(Bound::Integer(number));
        }
        if let Ok(number) = name.parse() {
            values.push(Bound::Real(number));
        }
        if let Some(bytes) = bytes_of(name) {
            if form == Form::GuidBytes && bytes.len() == 16 {
                const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
                let turned = ORDER.iter().filter_map(|at| bytes.get(*at).copied()).collect();
                values.push(Bound::Blob(turned));
            }
            values.push(Bound::Blob(bytes));
        }
    }
    values
}

/// Whether a name may be another in the store: what is not UTF-8 is shown with this character.
fn is_mended(name: &str) -> bool {
    name.contains(char::REPLACEMENT_CHARACTER)
}

/// The bytes that hexadecimal digits, with or without dashes, stand for.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().filter(|c| *c != '-').map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() >= 2 && digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// Whether an event answers a query.
pub(super) fn answers(event: &RecordedEvent, query: &EventQuery) -> bool {
    query.stream.as_ref().is_none_or(|stream| event.stream == *stream)
        && query.category.as_ref().is_none_or(|category| event.stream.category == *category)
        && (query.types.is_empty() || query.types.contains(&event.event_type))
        && query.after.as_ref().is_none_or(|after| event.position.as_ref().is_some_and(|own| own > after))
        && query.from.is_none_or(|from| event.time.is_some_and(|time| time.nanos() >= from.nanos()))
        && query.to.is_none_or(|to| event.time.is_some_and(|time| time.nanos() <= to.nanos()))
}
