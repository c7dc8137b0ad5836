//! Drift as one file for a browser or a printer, without scripts and without anything from elsewhere.

use std::fmt::{self, Write as _};

use crate::projection::drift::{
    Drift, DriftCell, DriftRow,
    report::{event_text, key_text, notes, shown, summary},
};

const STYLE: &str = "\
:root { color-scheme: light dark; --text: #1f2328; --weak: #5b636d; --line: #d5d9de; --back: #ffffff; \
--stored: #fdecea; --rebuilt: #e8f4ec; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e6ea; --weak: #9aa3ad; --line: #3a4149; \
--back: #16191d; --stored: #47231f; --rebuilt: #1d3a28; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 2rem auto; \
max-width: 64rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
p, li { color: var(--weak); } p.summary { color: var(--text); font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; }
th, td { border: 1px solid var(--line); padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
td { font-family: ui-monospace, monospace; font-size: 0.85rem; overflow-wrap: anywhere; white-space: pre-wrap; \
font-variant-ligatures: none; }
td.stored { background: var(--stored); } td.rebuilt { background: var(--rebuilt); }
caption { text-align: left; font-weight: 600; padding: 0.4rem 0; }
@media print { :root { --text: #000; --weak: #333; --line: #999; --back: #fff; } \
body { margin: 0; max-width: none; } table { break-inside: avoid; } }
";

/// The reports of a store's projections in one document.
#[must_use]
pub fn to_html(store: &str, drifts: &[Drift]) -> String {
    let mut page = String::new();
    // Writing into a string does not fail.
    write_page(&mut page, store, drifts).ok();
    page
}

fn write_page(page: &mut String, store: &str, drifts: &[Drift]) -> fmt::Result {
    let store = Escaped(store);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Drift of {store}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Drift of {store}</h1>\n"
    )?;
    for drift in drifts {
        write_drift(page, drift)?;
    }
    page.write_str("</body>\n</html>\n")
}

fn write_drift(page: &mut String, drift: &Drift) -> fmt::Result {
    write!(
        page,
        "<section>\n<h2>{}</h2>\n<p class=\"summary\">{}</p>\n<ul>\n",
        Escaped(&drift.projection),
        Escaped(&summary(drift))
    )?;
    for note in notes(drift) {
        writeln!(page, "<li>{}</li>", Escaped(&note))?;
    }
    for failure in &drift.failures {
        let (event, directive) = (Escaped(&failure.event), Escaped(&failure.directive));
        writeln!(page, "<li>Not handled: {event} ({directive}): {}</li>", Escaped(&failure.message))?;
    }
    page.write_str("</ul>\n")?;
    for (title, rows) in [
        ("Missing: the events make these rows, the table lacks them", &drift.missing),
        ("Extra: the table has these rows, the events do not make them", &drift.extra),
        ("Changed: both have these rows, with other values", &drift.changed),
    ] {
        if rows.is_empty() {
            continue;
        }
        writeln!(page, "<h3>{title}</h3>")?;
        for row in rows {
            write_row(page, drift, row)?;
        }
    }
    page.write_str("</section>\n")
}

fn write_row(page: &mut String, drift: &Drift, row: &DriftRow) -> fmt::Result {
    let parted = match &row.first_divergent {
        Some(parted) => format!("parted at {}", event_text(parted)),
        None => "no event makes such a row".to_owned(),
    };
    writeln!(
        page,
        "<table>\n<caption>{} · {}</caption>\n\
         <thead><tr><th>Column</th><th>Stored</th><th>Rebuilt</th></tr></thead>\n<tbody>",
        Escaped(&key_text(&drift.pairing, row)),
        Escaped(&parted)
    )?;
    for (name, cell) in &row.columns {
        writeln!(
            page,
            "<tr><th>{}</th><td class=\"stored\">{}</td><td class=\"rebuilt\">{}</td></tr>",
            Escaped(name),
            Escaped(&stored_text(cell)),
            Escaped(&rebuilt_text(cell))
        )?;
    }
    page.write_str("</tbody>\n</table>\n")
}

fn stored_text(cell: &DriftCell) -> String {
    let unheard_of = if cell.is_unheard_of { " (never made in the rebuild)" } else { "" };
    format!("{}{unheard_of}", shown(cell.stored.as_ref()))
}

fn rebuilt_text(cell: &DriftCell) -> String {
    let written = cell.written_by.as_ref().map(|event| format!(" (by {})", event_text(event)));
    format!("{}{}", shown(cell.rebuilt.as_ref()), written.unwrap_or_default())
}

/// Text that a browser takes for nothing but text.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            // HTML has no way to write these.
            '\t' | '\n' => f.write_char(letter),
            letter if letter.is_control() => f.write_char('\u{fffd}'),
            letter => f.write_char(letter),
        })
    }
}
