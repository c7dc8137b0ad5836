//! Detection finds every role of every fixture store, with no hint.

use rusqlite::{Connection, OpenFlags};
use timeglass::{
    store::{
        detect::detect,
        layout::{Detection, Layout},
    },
    work::Work,
};

use crate::support::{all_fixtures, fixture};

fn detected(name: &str) -> Detection {
    let fixture = fixture(name);
    let connection =
        Connection::open_with_flags(&fixture.path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    detect(&connection, &Work::default()).expect("can be looked at")
}

/// A layout in lines: table, roles, order, wrapping, snapshots, kinds of tables.
fn shown(layout: &Layout) -> String {
    let events = &layout.events;
    let mut lines = vec![format!("events {}", events.table)];
    for (role, mapping) in &events.roles {
        let form =
            if mapping.form == Default::default() { String::new() } else { format!(" ({})", mapping.form) };
        let doubt = if mapping.is_uncertain { "?" } else { "" };
        lines.push(format!("{}{doubt} = {}{form}", role.key(), mapping.source));
    }
    let sure = if events.order.is_certain { "" } else { "?" };
    lines.push(format!("order{sure} = {}", events.order.columns.join(", ")));
    for join in &events.joins {
        lines.push(format!(
            "join {} on {} = {}{}",
            join.table,
            join.on.0,
            join.on.1,
            if join.is_link { " link" } else { "" }
        ));
    }
    if !events.unwrap.is_empty() {
        lines.push(format!("unwrap {:?}", events.unwrap));
    }
    for snapshots in &layout.snapshots {
        let source = |mapping: &Option<timeglass::store::layout::Mapping>| {
            mapping.as_ref().map_or("-".to_owned(), |mapping| {
                format!(
                    "{}{}",
                    mapping.source,
                    if mapping.form == Default::default() {
                        String::new()
                    } else {
                        format!(" ({})", mapping.form)
                    }
                )
            })
        };
        lines.push(format!(
            "snapshots {}: stream {}, category {}, version {}, state {}, time {}, label {}",
            snapshots.table,
            source(&snapshots.stream),
            source(&snapshots.category),
            source(&snapshots.version),
            snapshots.state.source,
            source(&snapshots.time),
            source(&snapshots.label),
        ));
    }
    let kinds = layout.tables.iter().filter(|note| note.table != events.table);
    for note in kinds {
        lines.push(format!("table {}: {}", note.table, note.kind.label()));
    }
    lines.join("\n")
}

#[test]
fn print_all() {
    for name in all_fixtures() {
        match detected(&name) {
            Detection::Found { layout, rivals } => {
                println!("== {name}\n{}", shown(&layout));
                for problem in &layout.problems {
                    println!("! {problem}");
                }
                for (score, rival) in rivals {
                    println!("rival {score:.2} {}", rival.events.table);
                }
            }
            Detection::NotFound { nearest, .. } => {
                println!("== {name} NOT FOUND");
                if let Some(nearest) = nearest {
                    println!("{}\n{:?}", shown(&nearest.layout), nearest.shortfalls);
                }
            }
        }
    }
}
