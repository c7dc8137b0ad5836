//! The ids of an events table, the schema version, and who did it.

use crate::store::{
    detect::{look::Look, names, pair, roles::Reading},
    layout::{Form, Role},
};

impl Reading {
    /// The event's own id, correlation, causation and actor, as far as columns hold them.
    pub(super) fn read_ids(&mut self, look: &Look<'_>, open: &dyn Fn(Role) -> bool) {
        if open(Role::EventId) {
            self.read_event_id(look);
        }
        for role in [Role::CorrelationId, Role::CausationId, Role::Actor] {
            if !open(role) {
                continue;
            }
            let mut best: Option<(f64, usize)> = None;
            for column in look.columns().filter(|at| self.is_free(*at)) {
                let rank = look.rank(role, column);
                let profile = look.profile(column);
                let fits = !profile.is_document() && profile.time.is_none();
                if rank > 0.45 && fits && best.is_none_or(|(known, _)| rank > known) {
                    best = Some((rank, column));
                }
            }
            if let Some((_, column)) = best {
                let filled = look.profile(column).filled;
                let evidence =
                    format!("named so, filled in {filled} of {} rows looked at", look.sample.rows.len());
                self.put(look, role, column, evidence, look.profile(column).id_form());
            }
        }
    }

    /// A distinct id: by name and looks, or the position itself if its numbers are never used again.
    fn read_event_id(&mut self, look: &Look<'_>) {
        let mut best: Option<(f64, usize)> = None;
        let position = self.columns.get(&Role::GlobalPosition).copied();
        for column in look.columns().filter(|at| self.is_free(*at) || Some(*at) == position) {
            let (profile, rank) = (look.profile(column), look.rank(Role::EventId, column));
            let name = names::normalised(&look.name(column));
            let is_number = profile.integers > 0 && profile.integers == profile.filled;
            let is_whole = profile.filled == profile.rows && profile.is_distinct();
            // A position is an id only where it is called one and never given twice.
            let is_id = if is_number {
                Some(column) == position
                    && (name == "event_id" || (name == "id" && look.table.never_reuses_ids))
            } else {
                profile.mostly(profile.ids + profile.sixteen, 0.8) || rank > 0.8
            };
            let fits = (is_whole && is_id) || (look.is_empty() && rank > 0.5);
            let score =
                rank + if is_number { -0.5 } else { 0.3 } + if name == "event_id" { 0.8 } else { 0.0 };
            if rank > 0.3 && fits && best.is_none_or(|(known, _)| score > known) {
                best = Some((score, column));
            }
        }
        if let Some((_, column)) = best {
            let words =
                if look.table.is_unique(column) { "a key of its own" } else { "no value occurs twice" };
            self.put(
                look,
                Role::EventId,
                column,
                format!("named so, {words}"),
                look.profile(column).id_form(),
            );
        }
    }

    /// The version of the event's shape: small, and not rising with the stream.
    pub(super) fn read_schema_version(&mut self, look: &Look<'_>) {
        let mut best: Option<(f64, usize)> = None;
        let free: Vec<usize> = look.columns().filter(|at| self.is_free(*at)).collect();
        for column in free {
            let (profile, rank) = (look.profile(column), look.rank(Role::SchemaVersion, column));
            if rank < 0.4 || profile.is_document() || profile.time.is_some() || profile.filled == 0 {
                continue;
            }
            if let Some(stream) = self.columns.get(&Role::Stream) {
                let counts = pair::count(look, *stream, None, column);
                if counts.groups > 0 && counts.share() > 0.5 {
                    let name = look.name(column);
                    self.problems
                        .push(format!("`{name}` rises with the stream version, so it is no schema version"));
                    continue;
                }
            }
            if look.distinct(column) <= 20 && best.is_none_or(|(known, _)| rank > known) {
                best = Some((rank, column));
            }
        }
        if let Some((_, column)) = best {
            let evidence =
                format!("named so, {} different, not rising within streams", look.distinct(column));
            self.put(look, Role::SchemaVersion, column, evidence, Form::Plain);
        }
    }
}
