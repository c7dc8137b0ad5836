//! Which column of a table plays which role.
//!
//! Columns compete: each role takes the column that fits best of those that are left, the most
//! telling role first.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::Encoding,
    store::{
        detect::{
            look::Look,
            names, order,
            pair::{self, Pair},
        },
        layout::{Form, Join, Mapping, Order, Role, Source, Unwrap},
    },
};

/// One reading of a table as an events table.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) table: Arc<str>,
    pub(super) roles: BTreeMap<Role, Mapping>,
    /// The columns of the table itself that play a role.
    pub(super) columns: BTreeMap<Role, usize>,
    pub(super) order: Order,
    pub(super) joins: Vec<Join>,
    pub(super) unwrap: Vec<Unwrap>,
    pub(super) problems: Vec<String>,
    /// The gapless pair, if there is one.
    pub(super) pair: Option<Pair>,
    /// How the data is written.
    pub(super) encoding: Encoding,
}

/// What the user chose: a source, nothing at all, or (absent) no word.
pub(super) type Chosen = BTreeMap<Role, Option<Source>>;

impl Reading {
    /// Reads the table's own columns; the user's choices stand.
    pub(super) fn of(look: &Look<'_>, chosen: &Chosen) -> Self {
        let mut reading = Self {
            table: Arc::clone(&look.table.name),
            roles: BTreeMap::new(),
            columns: BTreeMap::new(),
            order: Order { columns: Vec::new(), evidence: String::new(), is_certain: false },
            joins: Vec::new(),
            unwrap: Vec::new(),
            problems: Vec::new(),
            pair: None,
            encoding: Encoding::Absent,
        };
        for (role, source) in chosen {
            if let Some(source) = source {
                reading.choose(look, *role, source);
            }
        }
        let open = |role: Role| !chosen.contains_key(&role);
        reading.read_pair(look, chosen);
        reading.read_documents(look, &open);
        if open(Role::EventType) {
            reading.read_event_type(look);
        }
        if open(Role::Category) {
            reading.read_category(look);
        }
        if open(Role::Time) {
            reading.read_time(look);
        }
        reading.read_order(look, &open);
        reading.read_ids(look, &open);
        if open(Role::SchemaVersion) {
            reading.read_schema_version(look);
        }
        reading
    }

    fn choose(&mut self, look: &Look<'_>, role: Role, source: &Source) {
        let mut form = Form::Plain;
        if let Source::Column { table: None, column } = source
            && let Some(at) = look.table.column(column)
        {
            self.columns.insert(role, at);
            form = match role {
                Role::Time => look.profile(at).time.unwrap_or_default(),
                _ => look.profile(at).id_form(),
            };
        }
        if role == Role::Time && form == Form::Plain {
            form = Form::Iso;
        }
        let evidence = "chosen by hand".to_owned();
        self.roles.insert(role, Mapping { source: source.clone(), form, evidence, is_uncertain: false });
    }

    pub(super) fn put(&mut self, look: &Look<'_>, role: Role, column: usize, evidence: String, form: Form) {
        let source = Source::Column { table: None, column: look.name(column) };
        self.columns.insert(role, column);
        self.roles.insert(role, Mapping { source, form, evidence, is_uncertain: look.is_empty() });
    }

    pub(super) fn is_free(&self, column: usize) -> bool {
        !self.columns.values().any(|taken| *taken == column)
    }

    /// Stream, version, and the category where it is needed to tell streams apart.
    fn read_pair(&mut self, look: &Look<'_>, chosen: &Chosen) {
        let pairs = pair::find(look);
        let fits = |role: Role, column: usize| match chosen.get(&role) {
            None => true,
            Some(_) => self.columns.get(&role) == Some(&column),
        };
        let fitting = |pair: &&Pair| {
            fits(Role::Stream, pair.stream)
                && fits(Role::Version, pair.version)
                && pair.category.is_none_or(|column| fits(Role::Category, column))
        };
        let Some(best) = pairs.iter().find(fitting).cloned() else {
            if !self.roles.contains_key(&Role::Stream) && !chosen.contains_key(&Role::Stream) {
                self.read_stream_alone(look);
            }
            return;
        };
        let rival = pairs.iter().find(|pair| pair.version != best.version && pair.stream == best.stream);
        let is_close = rival.is_some_and(|rival| best.score - rival.score < 6.0);
        let (stream, version) = (look.name(best.stream), look.name(best.version));
        let with = best.category.map(|column| format!(" and `{}`", look.name(column))).unwrap_or_default();
        let counts = best.counts;
        let counted = match (counts.groups, counts.base()) {
            (0, Some(base)) if !best.is_key => {
                format!(", {base} in all streams looked at and higher in the last rows")
            }
            (0, _) => String::new(),
            (groups, Some(base)) => {
                format!(
                    ", starts at {base} and has no gap in {} of {groups} streams looked at",
                    counts.gapless
                )
            }
            (groups, None) => format!(", has no gap in {} of {groups} streams looked at", counts.gapless),
        };
        let key = if best.is_key { format!(", unique with `{stream}`{with}") } else { String::new() };
        if !self.roles.contains_key(&Role::Version) {
            self.put(look, Role::Version, best.version, format!("integer{counted}{key}"), Form::Plain);
        }
        if !self.roles.contains_key(&Role::Stream) {
            let evidence = format!("`{version}` counts the rows within each of its values{with}");
            self.put(look, Role::Stream, best.stream, evidence, look.profile(best.stream).id_form());
        }
        if let Some(category) = best.category.filter(|_| !self.roles.contains_key(&Role::Category)) {
            let evidence = format!("text, needed beside `{stream}` to tell streams apart");
            self.put(look, Role::Category, category, evidence, Form::Plain);
        }
        if matches!(names::normalised(&version).as_str(), "event_version" | "schema_version") {
            self.problems
                .push(format!("`{version}` counts the events of a stream: it is no version of their shape"));
        }
        if is_close && let Some(mapping) = self.roles.get_mut(&Role::Version) {
            mapping.is_uncertain = true;
        }
        self.pair = Some(best);
    }

    /// The stream where nothing counts within it: by its name, repeated, with several rows each.
    fn read_stream_alone(&mut self, look: &Look<'_>) {
        let mut best: Option<(f64, usize)> = None;
        for column in look.columns().filter(|at| self.is_free(*at)) {
            let (profile, rank) = (look.profile(column), look.rank(Role::Stream, column));
            let is_alone = look.table.is_unique(column) || (profile.is_distinct() && profile.filled > 5);
            let fits =
                look.is_empty() || (profile.is_name_like() && profile.time.is_none() && profile.filled > 0);
            if rank < 0.36 || is_alone || !fits {
                continue;
            }
            let score = rank + look.distinct(column) as f64 / look.ids(column).len().max(1) as f64;
            if best.is_none_or(|(known, _)| score > known) {
                best = Some((score, column));
            }
        }
        if let Some((_, column)) = best {
            let evidence = "named so, with several rows for each value".to_owned();
            self.put(look, Role::Stream, column, evidence, look.profile(column).id_form());
        }
    }

    /// Data and metadata: documents, told apart by name and size.
    fn read_documents(&mut self, look: &Look<'_>, open: &dyn Fn(Role) -> bool) {
        let mut candidates: Vec<(f64, usize)> = Vec::new();
        let mut asides: Vec<(f64, usize)> = Vec::new();
        for column in look.columns().filter(|at| self.is_free(*at)) {
            let profile = look.profile(column);
            let (data, aside) = (look.rank(Role::Data, column), look.rank(Role::Metadata, column));
            // Data that no one can read, such as PHP's or base64, is known by its name alone.
            let is_told = data > 0.85 && profile.mostly(profile.texts, 0.9) && profile.length >= 16;
            let is_document = profile.is_document() || is_told || (look.is_empty() && data.max(aside) > 0.5);
            let is_empty_aside = profile.filled == 0 && aside >= 0.8;
            if aside > 0.5 && (is_document || is_empty_aside) {
                asides.push((aside + if profile.filled > 0 { 0.5 } else { 0.0 }, column));
            } else if is_document {
                let readable = profile.objects as f64 / profile.filled.max(1) as f64;
                candidates.push((data + 0.5 * readable + 0.05 * (profile.length as f64 + 1.0).ln(), column));
            }
        }
        let best =
            |list: &[(f64, usize)]| list.iter().copied().max_by(|left, right| left.0.total_cmp(&right.0));
        if open(Role::Data)
            && let Some((_, column)) = best(&candidates)
        {
            let profile = look.profile(column);
            let evidence = if look.is_empty() {
                "named so; the table is empty".to_owned()
            } else {
                let count = profile.objects.max(profile.opaque);
                format!("{} in {count} of {} values looked at", profile.encoding, profile.filled)
            };
            self.put(look, Role::Data, column, evidence, Form::Plain);
        }
        if open(Role::Metadata)
            && let Some((_, column)) = best(&asides)
        {
            let evidence = match look.profile(column).filled {
                0 => "named so; no values yet".to_owned(),
                _ => format!("named so, {}", look.profile(column).encoding),
            };
            self.put(look, Role::Metadata, column, evidence, Form::Plain);
        }
        self.encoding =
            self.columns.get(&Role::Data).map_or(Encoding::Absent, |at| look.profile(*at).encoding);
    }

    /// The event type: few different names, changing within a stream.
    fn read_event_type(&mut self, look: &Look<'_>) {
        let mut found: Vec<(f64, usize, String)> = Vec::new();
        for column in look.columns().filter(|at| self.is_free(*at)) {
            if let Some((score, evidence)) = self.type_score(look, column) {
                found.push((score, column, evidence));
            }
        }
        found.sort_by(|left, right| right.0.total_cmp(&left.0));
        let is_close =
            found.get(1).zip(found.first()).is_some_and(|(second, first)| first.0 - second.0 < 5.0);
        if let Some((_, column, evidence)) = found.into_iter().next() {
            self.put(look, Role::EventType, column, evidence, Form::Plain);
            if is_close && let Some(mapping) = self.roles.get_mut(&Role::EventType) {
                mapping.is_uncertain = true;
            }
        }
    }

    fn type_score(&self, look: &Look<'_>, column: usize) -> Option<(f64, String)> {
        let (profile, rank) = (look.profile(column), look.rank(Role::EventType, column));
        if look.is_empty() {
            return (rank > 0.6).then(|| (rank * 40.0, "named so; the table is empty".to_owned()));
        }
        let few = profile.distinct <= usize::max(60, profile.filled / 10);
        if rank < 0.1 || !profile.mostly(profile.identifiers, 0.8) || !few || profile.time.is_some() {
            return None;
        }
        let stream = self.columns.get(&Role::Stream).copied();
        let (groups, changing) = stream.map_or((0, 0), |stream| look.changes_within(stream, column));
        let varies = if groups == 0 { 0.0 } else { changing as f64 / groups as f64 };
        let is_kind = look.rank(Role::Category, column) > rank;
        if (groups > 0 && changing == 0 && profile.distinct > 1) || (is_kind && changing * 2 < groups) {
            return None;
        }
        let mut score = 40.0 * rank + 15.0 * varies + if profile.distinct > 1 { 10.0 } else { 0.0 };
        score -= 15.0 * look.rank(Role::Actor, column);
        score -= if profile.filled < profile.rows { 10.0 } else { 0.0 };
        if score < 26.0 || (rank < 0.3 && varies < 0.5) {
            return None;
        }
        let within = if changing > 0 {
            format!(", changing within {changing} of {groups} streams looked at")
        } else {
            String::new()
        };
        let names = if profile.distinct == 1 { "name" } else { "names" };
        Some((
            score,
            format!("text, {} different {names}{within}", look.distinct(column).max(profile.distinct)),
        ))
    }

    /// The kind of stream: a few names, the same for all rows of a stream.
    fn read_category(&mut self, look: &Look<'_>) {
        if self.roles.contains_key(&Role::Category) {
            return;
        }
        let Some(stream) = self.columns.get(&Role::Stream).copied() else {
            return;
        };
        let mut best: Option<(f64, usize)> = None;
        for column in look.columns().filter(|at| self.is_free(*at)) {
            let profile = look.profile(column);
            let few = profile.distinct <= usize::max(40, look.distinct(stream) / 2);
            // A second type-like column that stays the same within streams is their kind.
            let is_second_type = profile.distinct > 1 && look.rank(Role::EventType, column) > 0.45;
            let rank = look.rank(Role::Category, column).max(if is_second_type { 0.35 } else { 0.0 });
            if rank <= 0.3 {
                continue;
            }
            let (groups, changing) = look.changes_within(stream, column);
            let is_steady = changing * 20 <= groups;
            let fits = profile.mostly(profile.identifiers, 0.8) && few && is_steady;
            if (fits || look.is_empty()) && best.is_none_or(|(known, _)| rank > known) {
                best = Some((rank, column));
            }
        }
        if let Some((_, column)) = best {
            let kinds = look.distinct(column);
            let (groups, changing) = look.changes_within(stream, column);
            let name = look.name(stream);
            let evidence = match groups {
                0 => format!("text, {kinds} different"),
                _ => {
                    let same = groups - changing;
                    format!("text, {kinds} different, the same within {same} of {groups} `{name}` looked at")
                }
            };
            self.put(look, Role::Category, column, evidence, Form::Plain);
            if changing > 0 {
                let own = look.name(column);
                self.problems.push(format!(
                    "`{own}` changes within {changing} of {groups} `{name}` looked at, whose events are listed as \
                     several streams"
                ));
            }
        }
    }

    fn read_time(&mut self, look: &Look<'_>) {
        let mut best: Option<(f64, usize, Form)> = None;
        for column in look.columns().filter(|at| self.is_free(*at)) {
            let profile = look.profile(column);
            let rank = look.rank(Role::Time, column);
            let declared = look.table.columns.get(column).map(|column| column.declared.to_uppercase());
            let is_declared =
                declared.is_some_and(|declared| declared.contains("TIME") || declared.contains("DATE"));
            let form = match profile.time {
                Some(form) if form == Form::Iso || rank > 0.3 || is_declared => form,
                None if look.is_empty() && rank > 0.3 => Form::Iso,
                _ => continue,
            };
            let share =
                if look.is_empty() { 1.0 } else { profile.filled as f64 / profile.rows.max(1) as f64 };
            let score = (rank + 0.1) * share;
            if best.as_ref().is_none_or(|(known, _, _)| score > *known) {
                best = Some((score, column, form));
            }
        }
        if let Some((_, column, form)) = best {
            let evidence = format!(
                "{form} in {} of {} values looked at",
                look.profile(column).filled,
                look.profile(column).rows
            );
            self.put(look, Role::Time, column, evidence, form);
        }
    }

    /// The global order, and the position if something holds it.
    pub(super) fn read_order(&mut self, look: &Look<'_>, open: &dyn Fn(Role) -> bool) {
        let taken: Vec<usize> = [Role::Version, Role::Stream, Role::Data, Role::Time]
            .iter()
            .filter_map(|role| self.columns.get(role).copied())
            .collect();
        if let Some(chosen) = self.columns.get(&Role::GlobalPosition) {
            let mut columns = vec![look.name(*chosen)];
            if look.table.has_rowid && !look.table.is_unique(*chosen) {
                columns.push("rowid".into());
            }
            self.order = Order { columns, evidence: "chosen by hand".to_owned(), is_certain: true };
            return;
        }
        let found = order::find(look, &taken, self.roles.get(&Role::Time));
        self.order = found.order;
        if let Some(position) = found.position.filter(|_| open(Role::GlobalPosition)) {
            if let Source::Column { table: None, column } = &position.source
                && let Some(at) = look.table.column(column)
            {
                self.columns.insert(Role::GlobalPosition, at);
            }
            self.roles.insert(Role::GlobalPosition, position);
        }
    }
}
