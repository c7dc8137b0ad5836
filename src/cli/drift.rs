//! `timeglass drift`: where stored read models are others than the events make.

use std::{io::Write, path::PathBuf};

use crate::{
    cli::{
        Common, Exit,
        attend::attended,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        projections::{definitions, definitions_in, does_not_load, no_such},
        rebuild::{came_through, on_failure, rebuilt},
        table::printable,
    },
    model::Json,
    project::new_file::{Existing, NewFileError, write_file},
    projection::{
        Definition, Loaded, ReadModel, RebuildOptions, Scratch,
        coverage::remarks,
        drift::{
            Drift, DriftError, compare, pair_with,
            report::{self, ReportForm},
        },
        find_loaded,
    },
    store::StoreError,
    work::Work,
};

/// What is compared, and how it is told
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// The projections, by name [default: all that are defined]
    projections: Vec<String>,
    /// All that are defined
    #[arg(long, conflicts_with = "projections")]
    all: bool,
    /// Definitions in SQL or JavaScript [default: those that the project file names]
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,
    /// Pass over events that a definition cannot handle [default: what the project file says, or stop]
    #[arg(long)]
    skip_failures: bool,
    /// Form of the report
    #[arg(long, value_name = "FORM", value_parser = ["text", "html"], default_value = "text", conflicts_with = "json")]
    format: String,
    /// Write the report into this file, which must not exist yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let found = match &arguments.definition {
        None => definitions(&opened),
        Some(file) => definitions_in(&opened, file)?,
    };
    let (mut drifts, mut troubles, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for one in choose(&found, arguments)? {
        let name = one.name();
        let compared = match &one.outcome {
            Ok(definition) => drift_of(&opened, one, definition, arguments.skip_failures, output),
            Err(error) => Err(does_not_load(one, error)),
        };
        match compared {
            Ok(Ok(drift)) => drifts.push(drift),
            // Of many, some may be for other stores; what was asked for by name is not passed over.
            Ok(Err(why)) if arguments.projections.is_empty() => refused.push((why, name)),
            Ok(Err(why)) => troubles.push(Failure::trouble(why).given(&*name)),
            Err(failure) => troubles.push(failure),
        }
    }
    if drifts.is_empty() {
        let refused = refused.into_iter().map(|(why, name)| Failure::trouble(why).given(&*name));
        let mut failures = troubles.into_iter().chain(refused);
        if let Some(first) = failures.next() {
            failures.for_each(|failure| failure.complain(common.json, output));
            return Err(first);
        }
    } else {
        for (why, _) in &refused {
            output.remark(&format!("not compared: {}", printable(why)));
        }
        for failure in &troubles {
            failure.complain(common.json, output);
        }
        write(arguments, common, &drifts, output)?;
        return Ok(exit(&drifts, troubles.is_empty()));
    }
    Ok(Exit::Done)
}

/// Drift is an answer, whatever else could not be compared; without any, the rest is not known.
fn exit(drifts: &[Drift], is_all: bool) -> Exit {
    match (drifts.iter().all(Drift::is_none), is_all) {
        (false, _) => Exit::No,
        (true, false) => Exit::Failed,
        (true, true) => Exit::Done,
    }
}

fn write(
    arguments: &Arguments,
    common: &Common,
    drifts: &[Drift],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let name = arguments.store.file_name().unwrap_or_default().to_string_lossy();
    let text = match (common.json, arguments.format.as_str(), drifts) {
        (true, _, [drift]) if arguments.projections.len() == 1 => report::to_json(drift).to_pretty() + "\n",
        (true, _, drifts) => Json::array(drifts.iter().map(report::to_json)).to_pretty() + "\n",
        (false, "html", drifts) => report::report(&name, drifts, ReportForm::Html),
        (false, _, drifts) => report::report(&name, drifts, ReportForm::Text),
    };
    let Some(path) = &arguments.out else { return output.text(&text) };
    let write = |out: &mut dyn Write| Ok::<_, NewFileError>(out.write_all(text.as_bytes())?);
    write_file(path, Existing::Kept, write).map_err(|error| {
        let shown = path.display();
        match error {
            NewFileError::Exists => Failure::trouble(format!("{shown} exists already; nothing was written"))
                .hint("give a name that does not exist yet, or move the file away"),
            NewFileError::Folder | NewFileError::Database | NewFileError::NoFolder | NewFileError::Io(_) => {
                Failure::trouble(format!("{shown} cannot be written: {error}"))
                    .hint("give a name in a folder that exists and that you may write to")
            }
        }
        .given(shown.to_string())
    })?;
    output.remark(&format!("report written to {}", path.display()));
    Ok(())
}

/// Those that were asked for.
fn choose<'a>(found: &'a [Loaded], arguments: &Arguments) -> Result<Vec<&'a Loaded>, Failure> {
    if found.is_empty() {
        return Err(Failure::trouble("no projection is defined").hint(
            "name a file with `--definition FILE`, or write `[[projection]]` with `file = \"…\"` into the project file",
        ));
    }
    if arguments.projections.is_empty() {
        return Ok(found.iter().collect());
    }
    let hint = "without a name, all projections are compared";
    let wanted = arguments.projections.iter();
    wanted.map(|name| find_loaded(found, name).map_err(|near| no_such(name, &near, found, hint))).collect()
}

/// How many rows a table of the store has, if they can be counted.
fn rows_of(opened: &Opened, table: &str, work: &Work) -> Result<Option<u64>, StoreError> {
    let tables = &opened.store.describe().layout.tables;
    let Some(place) = tables.iter().position(|note| *note.table == *table) else { return Ok(None) };
    Ok(opened.store.table_counts(work)?.get(place).copied().flatten())
}

/// The drift, or in words why the table cannot be compared.
fn drift_of(
    opened: &Opened,
    one: &Loaded,
    definition: &Definition,
    skips: bool,
    output: &mut Output<'_>,
) -> Result<Result<Drift, String>, Failure> {
    let scratch = Scratch::temporary().map_err(|error| Failure::caused(&error))?;
    let entry = Some(&one.entry);
    let on_failure = on_failure(skips, entry);
    let options = RebuildOptions { on_failure, ..RebuildOptions::default() };
    let of = (&*opened.store, opened.index.len() as u64);
    let progress =
        rebuilt(output, of, definition, (&scratch, &options)).map_err(|error| Failure::caused(&error))?;
    came_through(definition, &progress)?;
    let model = ReadModel::open(&scratch, definition).map_err(|error| Failure::caused(&error))?;
    let compared = attended(output, ("comparing in", "steps"), |work| {
        let pairing = pair_with(work, &*opened.store, definition, &model, entry)?;
        // Each row is read, and then met on either side.
        let rows = rows_of(opened, &pairing.table, work)?;
        work.expect_total(rows.map_or(0, |rows| 3 * rows));
        let mut drift = compare(work, &*opened.store, &model, &definition.name, &pairing)?;
        drift.remarks = remarks(definition, model.progress(), &opened.index);
        Ok(drift)
    });
    match compared {
        Ok(drift) => Ok(Ok(drift)),
        Err(DriftError::NoPair(why) | DriftError::NothingHandled(why)) => Ok(Err(why)),
        Err(error) => Err(Failure::caused(&error)),
    }
}
