//! `timeglass sample`: a store to try things on.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::builder::PossibleValuesParser;

use crate::{
    cli::{Common, Exit, failure::Failure, output::Output, table::printable, write_json},
    jobs,
    model::Json,
    sample::{self, Damage, DamageKind, SampleError, SampleOptions, SampleReport, Shape},
};

const TOLD_EVERY: Duration = Duration::from_millis(300);

/// Make a sample store; the same options make the same store, on every machine
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file to make; it must not exist
    out: PathBuf,
    /// Decides everything that is left to chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 1000)]
    events: u64,
    /// What it is about
    #[arg(long, value_name = "NAME", default_value = "shop", value_parser = PossibleValuesParser::new(Shape::ALL.map(Shape::key)))]
    shape: String,
    /// What to damage, on purpose; may be given several times
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(DamageKind::ALL.map(DamageKind::key)))]
    damage: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let shape = Shape::from_key(&arguments.shape).unwrap_or_default();
    let options = SampleOptions {
        seed: arguments.seed,
        events: arguments.events,
        damage: arguments.damage.iter().filter_map(|key| DamageKind::from_key(key)).collect(),
        ..SampleOptions::of(shape)
    };
    let report = told_of(&arguments.out, &options, output)?;
    if common.json {
        write_json(output, &to_json(&report))?;
    } else {
        write(arguments, &report, output)?;
    }
    Ok(Exit::Done)
}

/// Makes the sample, and says meanwhile how far it is.
fn told_of(
    path: &Path,
    options: &SampleOptions,
    output: &mut Output<'_>,
) -> Result<SampleReport, SampleError> {
    let (work, start) = (output.wide_work(), Instant::now());
    let report = jobs::ask_and_tell(|| sample::write(path, options, &work), TOLD_EVERY, &mut || {
        let ((done, _), seconds) = (work.progress(), start.elapsed().as_secs_f64());
        let events = options.events;
        let text = if done < events {
            format!("{done} of {events} events, {:.0} a second", done as f64 / seconds)
        } else {
            format!("{events} events written, making the indexes")
        };
        output.progress(&text);
    });
    output.progress("");
    report
}

fn write(arguments: &Arguments, report: &SampleReport, output: &mut Output<'_>) -> Result<(), Failure> {
    output.line(&format!(
        "{}: {} events in {} streams, {} snapshots, {} bytes",
        arguments.out.display(),
        report.events,
        report.streams,
        report.snapshots,
        report.bytes
    ))?;
    for damage in &report.damage {
        output.line(&format!("{}: {}", damage.kind.key(), printable(&damage.detail)))?;
    }
    output.remark(&format!("open it with `timeglass {}`", arguments.out.display()));
    Ok(())
}

fn to_json(report: &SampleReport) -> Json {
    Json::object([
        ("events", Json::from(report.events)),
        ("streams", Json::from(report.streams)),
        ("snapshots", Json::from(report.snapshots)),
        ("read_model_rows", Json::from(report.read_model_rows)),
        ("bytes", Json::from(report.bytes)),
        ("damage", Json::array(report.damage.iter().map(damage_json))),
    ])
}

fn damage_json(damage: &Damage) -> Json {
    Json::object([
        ("kind", Json::from(damage.kind.key())),
        ("table", Json::from(damage.table)),
        ("key", Json::from(damage.key.clone())),
        ("stream", Json::from(damage.stream.clone())),
        ("version", Json::from(damage.version)),
        ("detail", Json::from(damage.detail.clone())),
    ])
}
