//! `timeglass drift`: where stored read models are others than the events make.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::{
        Common, Exit,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        projections::definitions,
        rebuild::{came_through, on_failure},
        table::printable,
    },
    model::Json,
    project::{read_script, sections::ProjectionEntry},
    projection::{
        Definition, ReadModel, RebuildOptions, Scratch,
        drift::{
            Drift, DriftError, compare, pair_with,
            report::{self, ReportForm},
        },
        rebuild,
    },
    session::scripts::options,
    store::index::nearest_names,
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

/// A projection and what the project file says of it.
struct Defined {
    definition: Definition,
    entry: Option<ProjectionEntry>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let defined = choose(defined(&opened, arguments.definition.as_deref())?, arguments)?;
    let (mut drifts, mut refused) = (Vec::new(), Vec::new());
    for one in &defined {
        match drift_of(&opened, one, arguments.skip_failures)? {
            Ok(drift) => drifts.push(drift),
            // Of many, some may be for other stores; what was asked for by name is not passed over.
            Err(why) if arguments.projections.is_empty() => {
                refused.push((why, &one.definition.name));
            }
            Err(why) => return Err(Failure::trouble(why).given(&*one.definition.name)),
        }
    }
    if let (true, Some((why, name))) = (drifts.is_empty(), refused.first()) {
        return Err(Failure::trouble(why).given(&***name));
    }
    for (why, _) in &refused {
        output.remark(&format!("not compared: {}", printable(why)));
    }
    write(arguments, common, &drifts, output)?;
    Ok(if drifts.iter().all(Drift::is_none) { Exit::Done } else { Exit::No })
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
    let written = std::fs::File::create_new(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| {
        Failure::trouble(format!("{} cannot be written: {error}", path.display()))
            .given(path.display().to_string())
            .hint("give a name that does not exist yet, in a folder that you may write to")
    })?;
    output.remark(&format!("report written to {}", path.display()));
    Ok(())
}

/// Every definition: of the file that was named, or of those that the project file names.
fn defined(opened: &Opened, file: Option<&Path>) -> Result<Vec<Defined>, Failure> {
    let Some(file) = file else {
        let loaded = definitions(opened).into_iter();
        let defined = loaded.map(|loaded| match loaded.outcome {
            Ok(definition) => Ok(Defined { definition, entry: Some(loaded.entry) }),
            Err(error) => Err(Failure::trouble(error.to_string())),
        });
        return defined.collect();
    };
    let entries = &opened.sections.projections;
    let named = |definition: &Definition| {
        let is_it = |entry: &&ProjectionEntry| {
            let is_file = entry.file.file_name() == file.file_name();
            entry.name.as_ref().map_or(is_file, |name| *name == definition.name)
        };
        entries.iter().find(is_it).cloned()
    };
    let text = read_script(file).map_err(|error| Failure::trouble(error.to_string()))?;
    let definitions = Definition::parse(file, &text, &options(&opened.sections.scripts))
        .map_err(|error| Failure::trouble(error.to_string()))?;
    let defined = definitions.into_iter();
    Ok(defined.map(|definition| Defined { entry: named(&definition), definition }).collect())
}

/// Those that were asked for.
fn choose(defined: Vec<Defined>, arguments: &Arguments) -> Result<Vec<Defined>, Failure> {
    if defined.is_empty() {
        return Err(Failure::trouble("no projection is defined").hint(
            "name a file with `--definition FILE`, or write `[[projection]]` with `file = \"…\"` into the project file",
        ));
    }
    let names: Vec<Arc<str>> = defined.iter().map(|one| Arc::clone(&one.definition.name)).collect();
    for wanted in &arguments.projections {
        if !names.iter().any(|name| **name == **wanted) {
            let nearest = nearest_names(wanted, names.iter().cloned(), 5);
            let shown = if nearest.is_empty() { names } else { nearest };
            return Err(Failure::unknown(
                "projection",
                wanted,
                &shown,
                "without a name, all projections are compared",
            ));
        }
    }
    let is_wanted = |one: &Defined| {
        arguments.projections.is_empty()
            || arguments.projections.iter().any(|wanted| **wanted == *one.definition.name)
    };
    Ok(defined.into_iter().filter(is_wanted).collect())
}

/// The drift, or in words why the table cannot be compared.
fn drift_of(opened: &Opened, one: &Defined, skips: bool) -> Result<Result<Drift, String>, Failure> {
    let work = Work::default();
    let definition = &one.definition;
    let scratch = Scratch::temporary().map_err(|error| Failure::caused(&error))?;
    let entry = one.entry.as_ref();
    let on_failure = on_failure(skips, entry);
    let options = RebuildOptions { on_failure, ..RebuildOptions::default() };
    let progress = rebuild(&work, &*opened.store, definition, &scratch, &options)
        .map_err(|error| Failure::caused(&error))?;
    came_through(definition, &progress)?;
    let model = ReadModel::open(&scratch, definition).map_err(|error| Failure::caused(&error))?;
    let compared = pair_with(&work, &*opened.store, definition, &model, entry)
        .and_then(|pairing| compare(&work, &*opened.store, &model, &definition.name, &pairing));
    match compared {
        Ok(drift) => Ok(Ok(drift)),
        Err(DriftError::NoPair(why)) => Ok(Err(why)),
        Err(error) => Err(Failure::caused(&error)),
    }
}
