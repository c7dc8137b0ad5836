//! What `timeglass rebuild` says of a rebuild and of what was or would be written.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common,
        failure::Failure,
        output::Output,
        projections::stored_json,
        table::{counted, printable},
        write_json,
    },
    model::{Json, Stored},
    projection::{Definition, EventFailure, Progress, ReadModel},
    publish::{CheckpointEdit, DryRun, Published, RowEdit, TableDryRun},
    work::Work,
};

/// Everything there is to say.
pub(crate) struct Report {
    name: Arc<str>,
    progress: Progress,
    rows: u64,
    scratch: Option<PathBuf>,
    /// What would be or was written; `None` if nothing was compared.
    pub(crate) plan: Option<DryRun>,
    /// What was written.
    pub(crate) published: Option<Published>,
    /// The project file that has a line about it.
    pub(crate) file: Option<PathBuf>,
}

impl Report {
    pub(crate) fn new(
        definition: &Definition,
        (model, work): (&ReadModel, &Work),
        scratch: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let mut rows = 0;
        let count = model.progress().count;
        let counted = model.each_at(work, count, &mut |row| rows += u64::from(!row.is_deleted));
        counted.map_err(|err| Failure::caused(&err))?;
        Ok(Self {
            name: Arc::clone(&definition.name),
            progress: model.progress().clone(),
            rows,
            scratch,
            plan: None,
            published: None,
            file: None,
        })
    }

    pub(crate) fn write(
        &self,
        common: &Common,
        is_dry_run: bool,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        if common.json { write_json(output, &self.to_json()) } else { self.write_text(is_dry_run, output) }
    }

    fn write_text(&self, is_dry_run: bool, output: &mut Output<'_>) -> Result<(), Failure> {
        let Progress { count, handled, failed, .. } = self.progress;
        let failed = if failed > 0 { format!(", {failed} passed over") } else { String::new() };
        output.line(&format!(
            "{}: {} rows from {handled} of {count} events{failed}",
            printable(&self.name),
            self.rows
        ))?;
        for failure in &self.progress.failures {
            output.line(&format!(
                "  passed over {}: {}",
                printable(&failure.event),
                printable(&failure.message)
            ))?;
        }
        if let Some(path) = &self.scratch {
            output.line(&format!("made in {}", path.display()))?;
        }
        if let Some(published) = &self.published {
            return self.write_published(published, output);
        }
        let Some(plan) = &self.plan else { return Ok(()) };
        if plan.tables.is_empty() {
            return output.line("the stored table agrees; there is nothing to write");
        }
        for table in &plan.tables {
            write_table(table, output)?;
        }
        if let Some(CheckpointEdit { table, column, from, to }) = &plan.checkpoint {
            let column = format!("{}.{}", printable(table), printable(column));
            output.line(&format!("checkpoint {column}: {} → {}", words(from), words(to)))?;
        }
        for note in &plan.notes {
            output.line(&printable(note))?;
        }
        for table in plan.swept() {
            let (deleted, stored) = (table.deleted, table.stored.unwrap_or_default());
            output.line(&format!(
                "warning: {deleted} of the {stored} rows of {} would be deleted; writing asks for `--deletes`",
                printable(&table.table)
            ))?;
        }
        if is_dry_run {
            output.line(&format!("nobody else could write for {}", plan.lock))?;
            output.line("nothing was written; `--write --confirm NAME` does, after a backup")?;
        }
        Ok(())
    }

    fn write_published(&self, published: &Published, output: &mut Output<'_>) -> Result<(), Failure> {
        let Published { inserted, updated, deleted, backup, is_confirmed } = published;
        output.line(&format!("written: {inserted} inserted, {updated} updated, {deleted} deleted"))?;
        output.line(&format!("backup: {}", backup.display()))?;
        if let Some(file) = &self.file {
            output.line(&format!("noted in {}", file.display()))?;
        }
        if !is_confirmed {
            output.remark("warning: read again after the transaction, the rows are others: another program has written since");
        }
        Ok(())
    }

    fn to_json(&self) -> Json {
        let path = |path: &PathBuf| path.display().to_string();
        let published = self.published.as_ref().map(|published| {
            Json::object([
                ("inserted", Json::from(published.inserted)),
                ("updated", Json::from(published.updated)),
                ("deleted", Json::from(published.deleted)),
                ("backup", Json::from(path(&published.backup))),
                ("confirmed", Json::from(published.is_confirmed)),
                ("noted_in", Json::from(self.file.as_ref().map(path))),
            ])
        });
        Json::object([
            ("projection", Json::from(Arc::clone(&self.name))),
            ("events", Json::from(self.progress.count)),
            ("handled", Json::from(self.progress.handled)),
            ("failed", Json::from(self.progress.failed)),
            ("failures", Json::array(self.progress.failures.iter().map(failure_json))),
            ("rows", Json::from(self.rows)),
            ("out", Json::from(self.scratch.as_ref().map(path))),
            ("changes", self.plan.as_ref().map_or(Json::Null, plan_json)),
            ("published", Json::from(published)),
        ])
    }
}

fn write_table(table: &TableDryRun, output: &mut Output<'_>) -> Result<(), Failure> {
    let TableDryRun { inserted, updated, deleted, .. } = table;
    output.line(&format!(
        "{}: {inserted} to insert, {updated} to update, {deleted} to delete",
        printable(&table.table)
    ))?;
    if let Some(row) = &table.first_insert {
        output.line(&format!("  first insert: {}", row_words(row)))?;
    }
    if let Some(RowEdit { place, values }) = &table.first_update {
        output.line(&format!("  first update: {} becomes {}", row_words(&place.is), row_words(values)))?;
    }
    if let Some(place) = &table.first_delete {
        output.line(&format!("  first delete: {}", row_words(&place.is)))?;
    }
    if !table.triggers.is_empty() {
        let names: Vec<String> = table.triggers.iter().map(|name| printable(name)).collect();
        let triggers = counted(names.len(), "trigger");
        output.line(&format!("  {triggers} of the table will not run: {}", names.join(", ")))?;
    }
    Ok(())
}

/// So many letters of a value are shown to people.
const LETTERS: usize = 40;

fn words(value: &Stored) -> String {
    stored_json(value).to_preview(LETTERS)
}

fn row_words(row: &[(Arc<str>, Stored)]) -> String {
    let cells: Vec<String> =
        row.iter().map(|(name, value)| format!("{} = {}", printable(name), words(value))).collect();
    cells.join(", ")
}

fn failure_json(failure: &EventFailure) -> Json {
    Json::object([
        ("count", Json::from(failure.count)),
        ("event", Json::from(Arc::clone(&failure.event))),
        ("directive", Json::from(Arc::clone(&failure.directive))),
        ("line", Json::from(failure.line.map(i64::from))),
        ("message", Json::from(Arc::clone(&failure.message))),
    ])
}

fn row_json(row: &[(Arc<str>, Stored)]) -> Json {
    Json::object(row.iter().map(|(name, value)| (Arc::clone(name), stored_json(value))))
}

fn plan_json(plan: &DryRun) -> Json {
    let table = |table: &TableDryRun| {
        let update = table.first_update.as_ref().map(|edit| {
            Json::object([("row", row_json(&edit.place.is)), ("values", row_json(&edit.values))])
        });
        Json::object([
            ("table", Json::from(Arc::clone(&table.table))),
            ("inserted", Json::from(table.inserted)),
            ("updated", Json::from(table.updated)),
            ("deleted", Json::from(table.deleted)),
            ("first_insert", Json::from(table.first_insert.as_deref().map(row_json))),
            ("first_update", Json::from(update)),
            ("first_delete", Json::from(table.first_delete.as_ref().map(|place| row_json(&place.is)))),
            ("triggers_not_run", Json::array(table.triggers.iter().cloned().map(Json::from))),
        ])
    };
    let checkpoint = plan.checkpoint.as_ref().map(|edit| {
        Json::object([
            ("table", Json::from(Arc::clone(&edit.table))),
            ("column", Json::from(Arc::clone(&edit.column))),
            ("from", stored_json(&edit.from)),
            ("to", stored_json(&edit.to)),
        ])
    });
    Json::object([
        ("tables", Json::array(plan.tables.iter().map(table))),
        ("checkpoint", Json::from(checkpoint)),
        ("notes", Json::array(plan.notes.iter().cloned().map(Json::from))),
        ("lock_ms_reckoned", Json::from(plan.lock.millis)),
    ])
}
