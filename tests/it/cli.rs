//! The command line, run in-process: what it prints, and what it says of bad input.

use std::{
    fmt::Write as _,
    io::{self, Write},
    path::Path,
};

use timeglass::{
    cli::{self, Exit, Output, WindowRequest},
    model::Json,
};

use crate::support::{all_fixtures, expectations, fixture};

const SHOP: &str = "sample-data/shop.sqlite";

/// What a command wrote, and how it ended.
pub(crate) struct Answer {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) exit: Exit,
}

/// Runs a command that opens no window.
pub(crate) fn run(arguments: &[&str]) -> Answer {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = ["timeglass"].iter().chain(arguments);
    let exit = cli::run(arguments, &mut Output::new(&mut out, &mut err), |request| {
        panic!("the window was opened with {request:?}")
    });
    Answer { out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap(), exit }
}

/// Compares what commands print with `tests/golden/cli/NAME.snap`.
pub(crate) fn check(name: &str, commands: &[&[&str]]) {
    check_in(None, name, commands);
}

/// The same of files in a folder whose name is another each time.
pub(crate) fn check_in(folder: Option<&Path>, name: &str, commands: &[&[&str]]) {
    let mut text = String::new();
    for arguments in commands {
        let Answer { out, err, exit } = run(arguments);
        writeln!(text, "$ timeglass {}", arguments.join(" ")).unwrap();
        text.push_str(&out);
        err.lines().try_for_each(|line| writeln!(text, "! {line}")).unwrap();
        writeln!(text, "= {}\n", exit.code()).unwrap();
    }
    if let Some(folder) = folder {
        text = text.replace(folder.to_str().unwrap(), "FOLDER");
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/cli"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Carriage returns would be lost in a golden file.
    settings.bind(|| insta::assert_snapshot!(name, text.replace('\r', "␍")));
}

pub(crate) fn json(arguments: &[&str]) -> Json {
    let Answer { out, err, exit } = run(arguments);
    assert_ne!(exit, Exit::Failed, "{arguments:?}: {err}");
    Json::parse(out.as_bytes()).unwrap()
}

fn lines(arguments: &[&str]) -> Vec<Json> {
    run(arguments).out.lines().map(|line| Json::parse(line.as_bytes()).unwrap()).collect()
}

#[test]
fn info_tells_the_layout_and_its_evidence() {
    check("info", &[&["info", SHOP], &["info", SHOP, "--json"]]);
}

#[test]
fn blame_lists_what_wrote_a_value() {
    check(
        "blame",
        &[
            &["blame", SHOP, "--stream", "order-4711", "--path", "/status"],
            &["blame", SHOP, "--stream", "order-4711", "--path", "/status", "--version", "2", "--json"],
            &["blame", SHOP, "--stream", "order-4711", "--path", "", "--limit", "1"],
            &["blame", SHOP, "--stream", "order-4711", "--path", "/status", "--limit", "2", "--csv"],
            &["blame", SHOP, "--stream", "order-4711", "--path", "/statsu"],
            &["blame", SHOP, "--stream", "order-4711", "--path", "/statsu", "--json"],
            &["blame", SHOP, "--stream", "order-4711", "--path", "status"],
            &["blame", "--help"],
        ],
    );
}

#[test]
fn streams_are_listed_filtered_and_cut() {
    check(
        "streams",
        &[
            &["streams", SHOP, "--limit", "5"],
            &["streams", SHOP, "--category", "order", "--like", "*47?1"],
            &["streams", SHOP, "--like", "ORDER-4701", "--json"],
            &["streams", SHOP, "--like", "order-470?", "--ndjson", "--limit", "2"],
            &["streams", SHOP, "--like", "order-470?", "--csv", "--limit", "2"],
            &["streams", SHOP, "--like", "nothing", "--json"],
        ],
    );
}

#[test]
fn events_are_listed_in_every_format() {
    check(
        "events",
        &[
            &["events", SHOP, "--limit", "3"],
            &["events", SHOP, "--stream", "order-4701"],
            &[
                "events",
                SHOP,
                "--stream",
                "4701",
                "--type",
                "OrderPaid",
                "--type",
                "OrderShipped",
                "--ndjson",
            ],
            &["events", SHOP, "--category", "account", "--after", "1000", "--limit", "2", "--json"],
            &["events", SHOP, "--from", "2024-06-05", "--to", "2024-06-05", "--quiet"],
            &["events", SHOP, "--limit", "1", "--csv"],
            &["events", SHOP, "--from", "2030-01-01", "--json"],
        ],
    );
}

#[test]
fn a_state_is_shown_at_a_version_a_time_or_a_position() {
    check(
        "state",
        &[
            &["state", SHOP, "--stream", "order-4701", "--version", "2"],
            &["state", SHOP, "--stream", "order-4701", "--as-of", "2024-01-09", "--json"],
            &["state", SHOP, "--stream", "order-4701", "--position", "30", "--json"],
            &["state", SHOP, "--stream", "order-4701", "--json"],
        ],
    );
}

#[test]
fn a_difference_ends_with_status_one() {
    check(
        "diff",
        &[
            &["diff", SHOP, "--stream", "order-4701", "--from", "1", "--to", "3"],
            &["diff", SHOP, "--stream", "order-4701", "--from", "3", "--to", "1", "--json"],
            &["diff", SHOP, "--stream", "order-4701", "--from", "2", "--to", "2"],
            &["diff", SHOP, "--stream", "order-4701", "--from", "2", "--to", "2", "--json"],
        ],
    );
}

#[test]
fn events_that_meet_a_condition_are_found() {
    let order = ["find", SHOP, "--stream", "order-4701"];
    let order_4711 = ["find", SHOP, "--stream", "order-4711", "--changes", "status"];
    check(
        "find",
        &[
            &[&order[..], &["--changes", "/status"]].concat(),
            &[&order[..], &["--changes", "/status", "--type", "OrderPaid", "--first", "--backward"]].concat(),
            &[&order[..], &["--type", "OrderPaid", "--json"]].concat(),
            &[&order_4711[..], &["--from", "4"]].concat(),
            &[&order_4711[..], &["--from", "4", "--backward"]].concat(),
            &[&order_4711[..], &["--from", "5", "--first"]].concat(),
            &["find", SHOP, "--category", "order", "--type", "OrderRefunded", "--first", "--quiet"],
            &[
                "find",
                SHOP,
                "--category",
                "order",
                "--reducer",
                "sample-data/reducers/order.js",
                "--becomes",
                "state.status === 'delivered' && state.cancellation",
            ],
            &["find", SHOP, "--reducer", "sample-data/reducers/order.js", "--changes", "status"],
            &["find", SHOP, "--category", "order", "--becomes", "state.total_cents > 30000"],
            &[
                "find",
                SHOP,
                "--category",
                "account",
                "--event",
                "event.data.balance_cents < 0 || event.version > 12",
            ],
            &["find", SHOP, "--stream", "order-4701", "--state", "totl < 0", "--type", "OrderPaid"],
            &["find", SHOP, "--stream", "order-4701", "--state", "totl < 0", "--type", "OrderPaid", "--json"],
            &["find", SHOP, "--stream", "order-4701", "--state", "state.total <"],
            &["find", SHOP, "--stream", "order-4701", "--event", "(event", "--json"],
            &["find", SHOP, "--category", "account", "--changes", "nothing"],
            &["find", SHOP, "--category", "account", "--changes", "nothing", "--json"],
            &["find", SHOP, "--category", "odrer", "--changes", "status"],
            &["find", SHOP, "--stream", "order-4701", "--changes", "1 + 1"],
            &["find", SHOP, "--stream", "order-4701"],
            &["find", SHOP, "--category", "order", "--from", "3", "--type", "OrderPaid"],
            &["find", SHOP, "--type", "OrderPayed"],
        ],
    );
}

#[test]
fn what_is_found_backward_is_what_is_found_forward_turned_round() {
    let find = |more: &[&str]| {
        let arguments = [&["find", SHOP, "--changes", "status", "--json"], more].concat();
        json(&arguments).get("hits").and_then(Json::as_array).unwrap().to_vec()
    };
    let of_stream = |hit: &Json, hits: &[Json]| -> Vec<Json> {
        hits.iter().filter(|other| other.get("stream") == hit.get("stream")).cloned().collect()
    };
    let forward = find(&["--category", "order"]);
    let backward = find(&["--category", "order", "--backward"]);
    assert!(forward.len() > 100);
    let first = find(&["--category", "order", "--first"]);
    let last = find(&["--category", "order", "--first", "--backward"]);
    assert_eq!(first.len(), last.len());
    for (first, last) in first.iter().zip(&last).step_by(25) {
        let (there, mut back) = (of_stream(first, &forward), of_stream(first, &backward));
        back.reverse();
        assert_eq!(there, back);
        assert_eq!((Some(first), Some(last)), (there.first(), there.last()));
        let stream = first.get("stream").and_then(Json::as_text).unwrap();
        assert_eq!(find(&["--stream", stream]), there);
    }
}

#[test]
fn snapshots_are_listed_with_what_can_be_said_of_them() {
    check(
        "snapshots",
        &[
            &["snapshots", SHOP, "--stream", "order-4701"],
            &["snapshots", SHOP, "--stream", "order-4701", "--json"],
            &["snapshots", SHOP, "--stream", "product-101", "--csv"],
        ],
    );
}

#[test]
fn snapshots_are_held_against_the_events() {
    let damaged = "sample-data/damaged.sqlite";
    let of_order = ["snapshots", damaged, "--stream", "order-4701", "--verify"];
    check(
        "snapshots-verify",
        &[
            &of_order,
            &[&of_order[..], &["--json"]].concat(),
            &[&of_order[..], &["--csv"]].concat(),
            &["snapshots", SHOP, "--stream", "product-101", "--verify", "--quiet"],
            &["snapshots", SHOP, "--cost"],
            &["snapshots", SHOP, "--cost", "--verify"],
            &["snapshots", "--help"],
        ],
    );
    let verdicts = |arguments: &[&str]| -> Vec<String> {
        let rows = lines(arguments);
        rows.iter().map(|row| row.get("verdict").and_then(Json::as_text).unwrap().to_owned()).collect()
    };
    let all = verdicts(&["snapshots", damaged, "--verify", "--ndjson"]);
    assert_eq!(all.iter().filter(|verdict| *verdict != "agrees").collect::<Vec<_>>(), ["differs", "orphan"]);
    assert_eq!(run(&["snapshots", damaged, "--verify", "--quiet"]).exit, Exit::No);
    assert_eq!(run(&["snapshots", damaged, "--quiet"]).exit, Exit::Done, "nothing was compared");
}

/// The project file says what is called otherwise, and what is not compared.
#[test]
fn the_project_file_says_how_snapshots_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("mine.toml");
    let verdicts = |text: &str| {
        std::fs::write(&project, text).unwrap();
        let project = project.to_str().unwrap();
        let stream = ["snapshots", "sample-data/damaged.sqlite", "--stream", "order-4701", "--verify"];
        let row = json(&[&stream[..], &["--json", "--project", project]].concat());
        let row = row.as_array().unwrap().get(0).unwrap().clone();
        let paths: Vec<String> = row
            .get("diff")
            .and_then(Json::as_array)
            .unwrap()
            .iter()
            .map(|change| change.get("path").and_then(Json::as_text).unwrap().to_owned())
            .collect();
        (row.get("verdict").and_then(Json::as_text).unwrap().to_owned(), paths.join(" "))
    };
    let of = |verdict: &str, paths: &str| (verdict.to_owned(), paths.to_owned());
    assert_eq!(verdicts(""), of("differs", "/status"));
    assert_eq!(verdicts("[[snapshot]]\nignore = [\"status\"]\n"), of("agrees", ""));
    assert_eq!(
        verdicts("[[snapshot]]\ncategory = \"cart\"\nignore = [\"status\"]\n"),
        of("differs", "/status")
    );
    assert_eq!(
        verdicts(
            "[[snapshot]]\ncategory = \"order\"\nignore = [\"status\"]\n[snapshot.fields]\ncurrency = \"money\"\n"
        ),
        of("differs", "/currency /money")
    );
    assert_eq!(verdicts("[[snapshot]]\nroot = \"/nothing\"\n"), of("unreadable", ""));
}

#[test]
fn a_store_has_as_many_snapshots_as_are_listed() {
    for name in ["evtstore", "seed-000-defects", "sqlite-es", "eventsourcing"] {
        let store = fixture(name);
        let path = store.path.to_str().unwrap();
        let listed = lines(&["snapshots", path, "--ndjson"]).len();
        let counted = json(&["info", path, "--json"]).get("snapshots").cloned();
        assert_eq!(counted, Some(Json::from(listed as i64)), "{name}");
        let facts = run(&["info", path]).out;
        let line = facts.lines().find(|line| line.starts_with("snapshots")).unwrap();
        assert!(line.ends_with(&format!(" {listed}")), "{name}: {line}");
    }
}

#[test]
fn a_snapshot_finds_its_stream_by_a_bare_id_where_its_table_tells_no_category() {
    let verdicts = |name: &str| {
        let store = fixture(name);
        let rows = lines(&["snapshots", store.path.to_str().unwrap(), "--ndjson"]);
        rows.iter()
            .map(|row| row.get("verdict").and_then(Json::as_text).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(verdicts("eventsourcing"), ["not checked"; 9]);
    assert_eq!(verdicts("eventsourcing-sqlalchemy"), ["not checked"; 9]);
    let orphans = verdicts("seed-003-defects").iter().filter(|verdict| *verdict == "orphan").count();
    assert_eq!(orphans, 1);
}

const BROKEN: &str = "tests/fixtures/reducers-broken";

#[test]
fn a_reducer_makes_the_state_that_is_shown_compared_and_explained() {
    let order = "sample-data/reducers/order.js";
    let throws = &format!("{BROKEN}/throws.js");
    check(
        "reducer",
        &[
            &["state", SHOP, "--stream", "order-4701", "--version", "2", "--reducer", order],
            &["state", SHOP, "--stream", "order-4701", "--reducer", throws],
            &["state", SHOP, "--stream", "order-4701", "--reducer", throws, "--json"],
            &["diff", SHOP, "--stream", "order-4701", "--from", "1", "--to", "6", "--reducer", throws],
            &["state", SHOP, "--stream", "order-4701", "--project", &format!("{BROKEN}/stops.toml")],
            &["blame", SHOP, "--stream", "order-4701", "--path", "/carrier", "--reducer", throws],
            &["snapshots", SHOP, "--stream", "product-101", "--reducer", "sample-data/reducers/product.js"],
            &["snapshots", SHOP, "--stream", "product-101", "--reducer", throws, "--quiet"],
        ],
    );
}

#[test]
fn numbers_that_a_reducer_sees_otherwise_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch(
            r#"CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT, version INTEGER, type TEXT, data TEXT);
            INSERT INTO events VALUES (1, 'account-1', 1, 'Paid', '{"cents": 12345678901234567890}'),
                (2, 'account-1', 2, 'Paid', '{"cents": 5}');"#,
        )
        .unwrap();
    drop(database);
    let reducer = folder.path().join("account.js");
    std::fs::write(&reducer, "({ Paid(s, e) { s.cents = e.data.cents; } })").unwrap();
    let (path, reducer) = (path.to_str().unwrap(), reducer.to_str().unwrap());
    let state = ["state", path, "--stream", "account-1", "--reducer", reducer];
    assert_eq!(
        run(&state).err,
        "version 1 (Paid) /cents: 12345678901234567890 became 12345678901234567000\n"
    );
    assert_eq!(run(&state.into_iter().take(4).collect::<Vec<_>>()).err, "", "the merge rounds nothing");
}

#[test]
fn what_is_no_reducer_is_told_with_the_place() {
    let state = ["state", SHOP, "--stream", "order-4701"];
    let with = |option: &'static str, file: &str| {
        let file = format!("{BROKEN}/{file}");
        let mut arguments: Vec<String> = state.iter().map(|part| (*part).to_owned()).collect();
        arguments.extend([option.to_owned(), file]);
        arguments
    };
    let commands = [
        with("--reducer", "syntax.js"),
        with("--reducer", "all-streams.js"),
        with("--reducer", "bytes.js"),
        with("--reducer", "none.js"),
        with("--project", "unknown.toml"),
        with("--project", "missing.toml"),
        with("--project", "engine.toml"),
    ];
    let commands: Vec<Vec<&str>> =
        commands.iter().map(|command| command.iter().map(String::as_str).collect()).collect();
    check("reducer-errors", &commands.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

#[test]
fn bad_input_is_answered_with_what_exists_and_what_to_type() {
    check(
        "errors",
        &[
            &["streams", "sample-data/shop.sqlit"],
            &["streams", SHOP, "--category", "odrer"],
            &["events", SHOP, "--stream", "ordr-4701"],
            &["events", SHOP, "--type", "OrderPayed"],
            &["events", SHOP, "--after", "x"],
            &["events", SHOP, "--from", "yesterday"],
            &["state", SHOP, "--stream", "order-4701", "--version", "99"],
            &["state", SHOP, "--stream", "order-4701", "--as-of", "2020-01-01"],
            &["state", SHOP, "--stream", "order-4701", "--position", "1"],
            &["state", SHOP, "--stream", "1001"],
            &["state", SHOP],
            &["diff", SHOP, "--stream", "order-4701", "--from", "0", "--to", "3"],
            &["sample", SHOP],
            &["stats"],
        ],
    );
}

#[test]
fn errors_come_as_json_where_json_was_asked_for() {
    check(
        "errors-json",
        &[
            &["streams", "no-such-folder/shop.sqlite", "--json"],
            &["events", SHOP, "--stream", "ordr-4701", "--ndjson"],
            &["state", SHOP, "--stream", "1001", "--json"],
            &["state", SHOP, "--json"],
            &["events", SHOP, "--limt", "3", "--json"],
            &["sample", "x.sqlite", "--shape", "shp", "--json"],
        ],
    );
}

#[test]
fn events_come_whole_and_in_order_however_many() {
    let events = lines(&["events", SHOP, "--ndjson"]);
    let positions: Vec<i64> =
        events.iter().filter_map(|event| event.get("position")?.as_scalar_text()?.parse().ok()).collect();
    assert!(positions.len() > 1000);
    assert_eq!(positions.len(), events.len());
    assert!(positions.is_sorted_by(|left, right| left < right));
    assert_eq!(json(&["events", SHOP, "--json"]).as_array(), Some(&events.iter().cloned().collect()));
    let csv = run(&["events", SHOP, "--csv"]).out;
    assert_eq!(csv.split("\r\n").count(), events.len() + 2);
    let info = json(&["info", SHOP, "--json"]);
    assert_eq!(info.get("events"), Some(&Json::from(events.len())));
    let limited = lines(&["events", SHOP, "--ndjson", "--limit", "777"]);
    assert_eq!(limited, events[..777]);
}

#[test]
fn the_last_state_is_the_state_at_the_last_version() {
    for stream in json(&["streams", SHOP, "--json", "--like", "*1"]).as_array().unwrap() {
        let name = stream.get("stream").unwrap().as_text().unwrap();
        let last = stream.get("last_version").unwrap().as_scalar_text().unwrap();
        let whole = json(&["state", SHOP, "--stream", name, "--json"]);
        assert_eq!(json(&["state", SHOP, "--stream", name, "--version", &last, "--json"]), whole);
        assert_eq!(whole.get("version").unwrap().as_scalar_text(), Some(last));
    }
}

/// A pipe whose reader leaves after some bytes, as `head` does.
struct Leaving(usize);

impl Write for Leaving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_leaves_ends_it_without_a_word() {
    for format in ["--ndjson", "--json", "--csv", "--quiet"] {
        let mut err = Vec::new();
        let mut out = Leaving(1000);
        let exit =
            cli::run(["timeglass", "events", SHOP, format], &mut Output::new(&mut out, &mut err), |_| {
                Exit::Failed
            });
        assert_eq!((exit, String::from_utf8(err).unwrap()), (Exit::Done, String::new()), "{format}");
    }
}

#[test]
fn without_a_command_the_window_opens() {
    let opened = |arguments: &[&str]| {
        let mut request = None;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = ["timeglass"].iter().chain(arguments);
        let exit = cli::run(arguments, &mut Output::new(&mut out, &mut err), |asked| {
            request = Some(asked);
            Exit::Done
        });
        assert_eq!(exit, Exit::Done, "{}", String::from_utf8_lossy(&err));
        request.unwrap()
    };
    assert_eq!(opened(&[]), WindowRequest::default());
    // Kept among the recent files, it must mean the same file wherever the window is opened next.
    let path = std::env::current_dir().unwrap().join(SHOP);
    let shop = WindowRequest { store: Some(path), ..Default::default() };
    assert_eq!(opened(&[SHOP]), shop);
    let project = Some("mine.toml".into());
    assert_eq!(opened(&[SHOP, "--project", "mine.toml"]), WindowRequest { project, ..shop });
}

#[test]
fn a_sample_is_made_and_never_over_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.sqlite");
    let path = path.to_str().unwrap();
    let made = json(&["sample", path, "--events", "200", "--seed", "7", "--damage", "version-gap", "--json"]);
    assert_eq!(made.get("events"), Some(&Json::from(200_i64)));
    assert_eq!(made.get("damage").and_then(Json::len), Some(1));
    assert_eq!(json(&["info", path, "--json"]).get("events"), Some(&Json::from(200_i64)));
    let again = run(&["sample", path]);
    assert_eq!(again.exit, Exit::Failed);
    assert!(again.err.contains("exists already"), "{}", again.err);
}

#[test]
fn a_database_without_events_is_answered_with_no() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT); INSERT INTO customers VALUES (1, 'A', 'a@b.c');")
        .unwrap();
    drop(database);
    let path = path.to_str().unwrap();
    let info = run(&["info", path]);
    assert_eq!(info.exit, Exit::No, "{}", info.err);
    assert!(info.out.contains("No event table found"), "{}", info.out);
    let info = run(&["info", path, "--json"]);
    assert_eq!(info.exit, Exit::No);
    assert_eq!(Json::parse(info.out.as_bytes()).unwrap().get("layout"), Some(&Json::Null));
    let streams = run(&["streams", path]);
    assert_eq!(streams.exit, Exit::Failed);
    assert!(streams.err.contains("no event table found"), "{}", streams.err);
}

#[test]
fn every_fixture_answers_with_the_counts_that_are_known_of_it() {
    for name in all_fixtures() {
        let store = fixture(&name);
        let path = store.path.to_str().unwrap();
        let info = json(&["info", path, "--json"]);
        let counts = expectations(&name);
        let counts = counts.get("counts").unwrap();
        for count in ["events", "streams"] {
            if let Some(expected) = counts.get(count) {
                assert_eq!(info.get(count), Some(expected), "{count} of {name}");
            }
        }
        let events = lines(&["events", path, "--ndjson", "--quiet"]);
        assert_eq!(info.get("events"), Some(&Json::from(events.len())), "{name}");
        let streams = json(&["streams", path, "--json"]);
        assert_eq!(info.get("streams"), Some(&Json::from(streams.len().unwrap())), "{name}");
        assert!(only_the_store_is_in(store.folder.path()), "{name}");
    }
}

fn only_the_store_is_in(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().count() == 1
}

const PROJECTIONS: &str = "tests/fixtures/projections";

#[test]
fn project_runs_over_a_store_a_file_or_a_case() {
    let file = |name: &str| format!("{PROJECTIONS}/{name}");
    let (orders, throws, events) = (file("orders.js"), file("throws.js"), file("events.ndjson"));
    let case = "tests/fixtures/kurrent-projections/log-log-mixed.json";
    check(
        "project",
        &[
            &["project", &orders, SHOP],
            &["project", &orders, SHOP, "--until", "40", "--json"],
            &["project", &throws, "--events", &events],
            &["project", &throws, "--events", &events, "--steps", "--engine", "1"],
            &["project", &throws, "--events", &events, "--until", "12", "--steps"],
            &["project", "--case", case, "--steps", "--json"],
        ],
    );
}

#[test]
fn project_says_what_is_wrong_with_its_input() {
    let file = |name: &str| format!("{PROJECTIONS}/{name}");
    let (orders, mistake) = (file("orders.js"), file("typing-mistake.js"));
    check(
        "project-bad-input",
        &[
            &["project", &mistake, SHOP],
            &["project", &mistake, SHOP, "--steps", "--json"],
            &["project", &orders, SHOP, "--engine", "3"],
            &["project", &orders, SHOP, "--engine", "3", "--json"],
            &["project", &orders],
            &["project", &orders, "--events", &orders],
            &["project", "--case", &orders],
            &["project", &orders, SHOP, "--until", "x"],
        ],
    );
}
