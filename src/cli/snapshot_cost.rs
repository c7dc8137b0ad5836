//! `timeglass snapshots --cost`: what loading costs with the stored snapshots and without.

use crate::{
    cli::{
        Exit,
        attend::attended,
        failure::Failure,
        open::Opened,
        output::{Format, Output},
        table::{Side, Table, printable},
        write_json,
    },
    snapshot::{CostLine, cost},
    work::Work,
};

pub(super) fn run(opened: &Opened, format: Format, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let measure = |work: &Work| cost(&*opened.store, &opened.index, work);
    let cost = attended(output, ("measuring", "events"), measure)?;
    match format {
        Format::Json => write_json(output, &cost.to_json(&opened.index))?,
        Format::Ndjson => {
            cost.categories.iter().try_for_each(|line| output.line(&line.to_json().to_compact()))?;
        }
        // A table of several parts is no comma-separated one; the arguments exclude it.
        Format::Text | Format::Csv => {
            output.line("Events to replay when each stream is loaded once, as it is now")?;
            output.line("")?;
            let mut table = Table::new(&[
                ("category", Side::Left),
                ("streams", Side::Right),
                ("snapshots", Side::Right),
                ("every", Side::Right),
                ("median", Side::Right),
                ("p95", Side::Right),
                ("max", Side::Right),
                ("p95 without", Side::Right),
                ("kB with", Side::Right),
                ("kB without", Side::Right),
            ]);
            for line in &cost.categories {
                let name = line.category.as_deref().unwrap_or("–");
                table.row(output, &cells(printable(name), line))?;
            }
            if cost.categories.len() != 1 {
                table.row(output, &cells("all".to_owned(), &cost.whole))?;
            }
            table.write(output)?;
            output.line("")?;
            for line in &cost.categories {
                let name = line.category.as_deref().unwrap_or("streams without a category");
                output.line(&format!("{}: {}", printable(name), line.words()))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn cells(name: String, line: &CostLine) -> Vec<String> {
    let kilobytes = |bytes: u64| bytes.div_ceil(1000).to_string();
    vec![
        name,
        line.streams.to_string(),
        line.snapshots.to_string(),
        line.interval.map_or_else(|| "–".to_owned(), |every| every.to_string()),
        line.with.median.to_string(),
        line.with.p95.to_string(),
        line.with.most.to_string(),
        line.without.p95.to_string(),
        kilobytes(line.bytes_with),
        kilobytes(line.bytes_without),
    ]
}
