//! `timeglass streams`: the streams of a store.

use std::path::PathBuf;

use crate::{
    cli::{
        Common, Exit, RowFormat, choose,
        failure::Failure,
        open,
        output::{Format, Output},
        rows::scalar,
        table::{Side, Table, counted, csv_line},
        write_json,
    },
    model::{Json, StreamInfo, TextFilter, Timestamp},
};

/// List the streams, in the order of their names
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// Only streams of this category; an empty name means those without one
    #[arg(long)]
    category: Option<String>,
    /// Only streams whose name matches: `*` is any text, `?` any character
    #[arg(long, value_name = "GLOB")]
    like: Option<String>,
    /// No more than so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    format: RowFormat,
}

/// The columns of the comma-separated form, and the members of each JSON object.
const FIELDS: [&str; 8] =
    ["stream", "category", "id", "events", "first_version", "last_version", "first_time", "last_time"];

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let category = match &arguments.category {
        Some(name) => Some(opened.choice().category(name)?),
        None => None,
    };
    let like = match &arguments.like {
        Some(glob) => TextFilter::glob(glob)
            .map_err(|error| Failure::trouble(format!("`{glob}` is no pattern: {error}")).given(glob))?,
        None => TextFilter::All,
    };
    let is_wanted = |info: &&StreamInfo| {
        category.as_ref().is_none_or(|category| info.name.category == *category)
            && like.accepts(&info.name.full())
    };
    let mut streams: Vec<&StreamInfo> = opened.index.streams().iter().filter(is_wanted).collect();
    streams.sort_by(|left, right| left.name.cmp(&right.name));
    let found = streams.len();
    streams.truncate(arguments.limit.unwrap_or(usize::MAX));
    match common.format(arguments.format) {
        Format::Json => write_json(output, &Json::array(streams.iter().map(|info| info.to_json())))?,
        Format::Ndjson => {
            streams.iter().try_for_each(|info| output.line(&info.to_json().to_compact()))?;
        }
        Format::Csv => {
            output.line(&csv_line(FIELDS))?;
            for info in &streams {
                let json = info.to_json();
                output.line(&csv_line(FIELDS.map(|field| scalar(json.get(field)))))?;
            }
        }
        Format::Text => {
            write_table(&streams, output)?;
            let all = counted(found, "stream");
            let shown = streams.len();
            output.remark(&if shown < found { format!("{shown} of {all}") } else { all });
        }
    }
    Ok(Exit::Done)
}

fn write_table(streams: &[&StreamInfo], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("stream", Side::Left),
        ("category", Side::Left),
        ("events", Side::Right),
        ("versions", Side::Right),
        ("first time", Side::Left),
        ("last time", Side::Left),
    ]);
    let time = |time: Option<Timestamp>| time.map_or_else(|| "–".to_owned(), Timestamp::to_rfc3339);
    for info in streams {
        let cells = vec![
            info.name.full().to_string(),
            info.name.category.as_deref().unwrap_or("–").to_owned(),
            info.events.to_string(),
            choose::version_span(info),
            time(info.first_time),
            time(info.last_time),
        ];
        table.row(output, &cells)?;
    }
    table.write(output)
}
