//! `timeglass rebuild`: a read model made anew, and written back if that is asked for in so many words.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    cli::{
        Common, Exit,
        attend::attended,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        projections::{definitions, definitions_in, does_not_load, no_such},
        rebuild_report::Report,
        table::printable,
    },
    project::sections::{OnFailureEntry, ProjectionEntry, PublishedEntry},
    projection::{
        Definition, Loaded, OnFailure, Progress, ReadModel, RebuildError, RebuildOptions, Scratch,
        drift::{DriftError, Pairing, pair_with},
        find_loaded,
        publication::{Material, publication},
        rebuild,
    },
    publish::{BackupPlace, DryRun, Edits, Publication, Published, Unlock, dry_run, keep_going, publish},
    store::{EventStore, EventsHead},
};

/// Rebuild a read model from the events; exit status 1 with --dry-run if the stored one would change
///
/// The read model is made in a database of ours. Without further options nothing is written to the store: what
/// was made is counted, and how the stored table differs from it. `--dry-run` lists what publishing would
/// change. `--write --confirm NAME` publishes: it makes a backup, changes the rows that differ and the
/// projection's checkpoint in one transaction, and checks what it wrote. Events are never changed. If anything
/// goes wrong, the store is as it was.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// The projection, by name [default: the only one that is defined]
    projection: Option<String>,
    /// Definition in SQL or JavaScript [default: the one that the project file names]
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,
    /// Make the read model in this SQLite file, which stays; a rebuild that stopped goes on in it
    #[arg(long, value_name = "SCRATCH")]
    out: Option<PathBuf>,
    /// Only events up to this global position
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true, conflicts_with_all = ["dry_run", "write"])]
    until: Option<String>,
    /// Pass over events that the definition cannot handle [default: what the project file says, or stop]
    #[arg(long)]
    skip_failures: bool,
    /// List what would be written into the store, and write nothing
    #[arg(long, conflicts_with = "write")]
    dry_run: bool,
    /// Write what differs into the store, after a backup
    #[arg(long)]
    write: bool,
    /// The store's file name, which --write asks for so that no other store is written by mistake
    #[arg(long, value_name = "NAME", requires = "write")]
    confirm: Option<String>,
    /// So many rows may be deleted; --write asks for it where a table would lose more than half of its rows
    #[arg(long, value_name = "COUNT", requires = "write")]
    deletes: Option<u64>,
    /// Where the backup goes [default: beside the store]
    #[arg(long, value_name = "FILE", requires = "write")]
    backup: Option<PathBuf>,
}

/// How long to wait for other programs that are writing.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    // Said before any work is done for nothing.
    let unlock = match &arguments.confirm {
        Some(typed) => {
            Some(Unlock::confirm(&arguments.store, typed).ok_or_else(|| not_confirmed(arguments))?)
        }
        None if arguments.write => return Err(unconfirmed(arguments)),
        None => None,
    };
    let opened = open::open(&arguments.store, common, output)?;
    let work = output.work();
    // Before any event is read for the rebuild: what comes after this is noticed when it is written.
    let head = opened.store.events_head(&work)?;
    let loaded = choose(arguments, &opened)?;
    let definition = loaded.outcome.as_ref().map_err(|err| does_not_load(&loaded, err))?;
    let made = make(arguments, &opened, definition, &loaded.entry, output)?;
    let asks = arguments.dry_run || arguments.write;
    let pairing = match pair_with(&work, &*opened.store, definition, &made.model, Some(&loaded.entry)) {
        Ok(pairing) => Some(pairing),
        Err(DriftError::NoPair(why)) if asks => return Err(Failure::trouble(why)),
        Err(DriftError::NoPair(why)) => {
            output.remark(&format!("not compared: {why}"));
            None
        }
        Err(err) => return Err(Failure::caused(&err)),
    };
    let mut report = Report::new(definition, (&made.model, &work), made.scratch)?;
    let is_whole = arguments.until.is_none();
    if let (Some(pairing), true) = (&pairing, is_whole) {
        match plan(&opened, &loaded, &made.model, pairing, head)? {
            Err(why) if asks => return Err(unhandled(&why)),
            Err(why) => output.remark(&format!("warning: {why}")),
            Ok((edits, plan)) => {
                report.plan = Some(plan.clone());
                if let Some(unlock) = unlock.filter(|_| !edits.is_empty()) {
                    arguments.check_deletes(&plan)?;
                    let published = write(arguments, &opened, &edits, &plan, &unlock, output)?;
                    report.file = note(common, &opened, &edits, &published, output);
                    report.published = Some(published);
                }
            }
        }
    }
    report.write(common, arguments.dry_run, output)?;
    let would_change = report.plan.as_ref().is_some_and(|plan| !plan.tables.is_empty());
    Ok(if arguments.dry_run && would_change { Exit::No } else { Exit::Done })
}

/// Nothing was handled, so that publishing would write an emptiness.
fn unhandled(why: &str) -> Failure {
    Failure::trouble(format!("{why}; nothing was written"))
        .hint("correct the names in the definition; `timeglass info STORE` lists those of the store")
}

impl Arguments {
    /// Whether deleting most of a table was asked for in so many words.
    fn check_deletes(&self, plan: &DryRun) -> Result<(), Failure> {
        let Some((deleted, stored)) = plan.sweep().filter(|(deleted, _)| self.deletes != Some(*deleted))
        else {
            return Ok(());
        };
        let tables: Vec<String> = plan.swept().map(|table| printable(&table.table)).collect();
        let what = format!("{deleted} of the {stored} rows of {} would be deleted", tables.join(" and "));
        Err(Failure::trouble(format!("{what}; nothing was written"))
            .given(self.deletes.map_or_else(|| "--write".to_owned(), |count| count.to_string()))
            .hint(format!("to see which: --dry-run; if that is what you want, add --deletes {deleted}")))
    }
}

fn unconfirmed(arguments: &Arguments) -> Failure {
    let name = Unlock::name_of(&arguments.store);
    Failure::trouble("--write needs --confirm with the name of the store; nothing was written")
        .given("--write")
        .hint(format!(
            "to write into this store: --write --confirm {name}; to see what that would change: --dry-run"
        ))
}

fn not_confirmed(arguments: &Arguments) -> Failure {
    let name = Unlock::name_of(&arguments.store);
    Failure::trouble("the name that was given to --confirm is not that of the store; nothing was written")
        .given(arguments.confirm.clone().unwrap_or_default())
        .hint(format!("to write into it, give its file name: --confirm {name}"))
}

/// The projection that is meant.
fn choose(arguments: &Arguments, opened: &Opened) -> Result<Loaded, Failure> {
    let all = match &arguments.definition {
        None => definitions(opened),
        Some(file) => definitions_in(opened, file)?,
    };
    let hint = "`--definition FILE` names a file; `[[projection]]` with `file = \"…\"` in the project file does so for good";
    let Some(wanted) = &arguments.projection else {
        return match all.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Failure::trouble("no projection is defined").hint(hint)),
            many => {
                let names: Vec<String> = many.iter().map(|one| one.name().to_string()).collect();
                let which = format!("there are {} projections: {}", names.len(), names.join(", "));
                Err(Failure::trouble(which).hint("say which, by its name behind the store"))
            }
        };
    };
    find_loaded(&all, wanted).cloned().map_err(|near| no_such(wanted, &near, &all, hint))
}

/// What was made.
struct Made {
    model: ReadModel,
    /// The file it lies in, if it stays.
    scratch: Option<PathBuf>,
}

fn make(
    arguments: &Arguments,
    opened: &Opened,
    definition: &Definition,
    entry: &ProjectionEntry,
    output: &mut Output<'_>,
) -> Result<Made, Failure> {
    let scratch = match &arguments.out {
        Some(path) => Scratch::at(path),
        None => Scratch::temporary().map_err(|err| Failure::caused(&err))?,
    };
    let until = match &arguments.until {
        None => None,
        Some(text) => {
            let position = opened.choice().position(text)?;
            Some(opened.index.ordinal_at_position(&position).map_or(0, |ordinal| u64::from(ordinal) + 1))
        }
    };
    let on_failure = on_failure(arguments.skip_failures, Some(entry));
    let options = RebuildOptions { until, on_failure, ..RebuildOptions::default() };
    let events = until.unwrap_or(opened.index.len() as u64);
    let progress = rebuilt(output, (&*opened.store, events), definition, (&scratch, &options))
        .map_err(|err| Failure::caused(&err))?;
    came_through(definition, &progress)?;
    let model = ReadModel::open(&scratch, definition).map_err(|err| Failure::caused(&err))?;
    Ok(Made { model, scratch: arguments.out.clone() })
}

/// Runs a projection over the events of a store, and says meanwhile how long it takes.
pub(crate) fn rebuilt(
    output: &mut Output<'_>,
    (store, events): (&dyn EventStore, u64),
    definition: &Definition,
    (scratch, options): (&Scratch, &RebuildOptions),
) -> Result<Progress, RebuildError> {
    attended(output, ("rebuilding from", "events"), |work| {
        work.expect_total(events);
        rebuild(work, store, definition, scratch, options)
    })
}

/// What happens at an event that cannot be handled, by the argument or the project file.
pub(crate) fn on_failure(skips: bool, entry: Option<&ProjectionEntry>) -> OnFailure {
    let goes_on = skips || entry.and_then(|entry| entry.on_failure) == Some(OnFailureEntry::GoOn);
    if goes_on { OnFailure::Skip } else { OnFailure::Stop }
}

/// Fails if the rebuild stopped before its end, with the event at which it did.
pub(crate) fn came_through(definition: &Definition, progress: &Progress) -> Result<(), Failure> {
    let (false, Some(failure)) = (progress.is_complete, progress.failures.last()) else { return Ok(()) };
    let line = failure.line.map(|line| format!(":{line}")).unwrap_or_default();
    let what = format!(
        "the projection {} stopped at event {} of the store, {}: {}{line}, {}: {}",
        definition.name,
        failure.count + 1,
        failure.event,
        definition.file,
        failure.directive,
        failure.message
    );
    let hint = "`--skip-failures` passes over such events; `on_failure = \"go on\"` in its [[projection]] does so for good";
    Err(Failure::trouble(what).given(&*definition.name).hint(hint))
}

/// What would be written, or in words why that is nothing to write.
fn plan(
    opened: &Opened,
    loaded: &Loaded,
    model: &ReadModel,
    pairing: &Pairing,
    head: EventsHead,
) -> Result<Result<(Edits, DryRun), String>, Failure> {
    let work = opened.stop.work();
    let definition = loaded.outcome.as_ref().map_err(|err| Failure::trouble(err.to_string()))?;
    if model.progress().count != opened.index.len() as u64 {
        // The checkpoint is read off the index: it would say less than what the rows hold.
        let what = "events came in while the read model was made, so nothing was compared or written";
        return Err(Failure::trouble(what).given(loaded.name().to_string()).hint("try again"));
    }
    let name = loaded.name();
    let checkpoint = loaded.entry.checkpoint.as_ref().unwrap_or(&name);
    let material = Material { definition, model, pairing, checkpoint, index: &opened.index };
    let edits = match publication(&work, &*opened.store, &material) {
        Ok(edits) => edits,
        Err(DriftError::NothingHandled(why)) => return Ok(Err(why)),
        Err(err) => return Err(Failure::caused(&err)),
    };
    let plan = dry_run(&work, &*opened.store, &edits, head)?;
    Ok(Ok((edits, plan)))
}

fn write(
    arguments: &Arguments,
    opened: &Opened,
    edits: &Edits,
    plan: &DryRun,
    unlock: &Unlock,
    output: &Output<'_>,
) -> Result<Published, Failure> {
    let backup = arguments.backup.clone().map_or(BackupPlace::Beside, BackupPlace::At);
    let publication = Publication {
        path: &opened.path,
        layout: &opened.store.describe().layout,
        edits,
        expected: &plan.expected,
        backup: &backup,
        at: output.now(),
        patience: PATIENCE,
    };
    Ok(publish(&output.work(), &publication, unlock, &keep_going)?)
}

/// Writes a line into the project file. What was published is published, whether or not that can be noted.
fn note(
    common: &Common,
    opened: &Opened,
    edits: &Edits,
    published: &Published,
    output: &mut Output<'_>,
) -> Option<PathBuf> {
    let mut after = opened.sections.clone();
    after.published.push(PublishedEntry {
        time: output.now().to_rfc3339().into(),
        subject: Arc::clone(&edits.subject),
        inserted: published.inserted,
        updated: published.updated,
        deleted: published.deleted,
        backup: published.backup.clone(),
    });
    match crate::project::keep(&opened.path, common.project.as_deref(), &opened.sections, &after) {
        Ok(file) => Some(file),
        Err(err) => {
            output.remark(&format!("warning: the publication is not noted: {err}"));
            None
        }
    }
}
