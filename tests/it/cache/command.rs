//! The command line's side: the same answers with and without what was kept, and `timeglass cache`.

use std::fs;

use timeglass::{
    cli::{self, Exit, Output, WindowRequest},
    model::Json,
};

use super::Stage;

struct Answer {
    out: String,
    err: String,
    exit: Exit,
}

fn run(stage: &Stage, arguments: &[&str]) -> Answer {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = ["timeglass"].iter().chain(arguments);
    let mut output = Output::new(&mut out, &mut err).with_cache(stage.cache());
    let exit = cli::run(arguments, &mut output, |request| panic!("a window with {request:?}"));
    Answer { out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap(), exit }
}

#[test]
fn answers_are_the_same_with_the_cache_and_without() {
    let stage = Stage::new(80);
    let path = stage.path.to_str().unwrap();
    let questions: [&[&str]; 4] = [
        &["info", path, "--json"],
        &["streams", path],
        &["events", path, "--limit", "5"],
        &["state", path, "--stream", "order-3"],
    ];
    let changes: [&str; 4] = [
        "SELECT 1",
        "UPDATE events SET type = 'Changed' WHERE position = 40",
        "DELETE FROM events WHERE position > 70",
        "INSERT INTO events SELECT NULL, 'order-9', position, type, data, created_at FROM events WHERE position < 5",
    ];
    for change in changes {
        stage.execute(change);
        for question in questions {
            let without = run(&stage, &[question, &["--no-cache"]].concat());
            assert_eq!(without.exit, Exit::Done, "{}", without.err);
            for time in ["first", "second"] {
                let with = run(&stage, question);
                assert_eq!(
                    (&with.out, &with.err),
                    (&without.out, &without.err),
                    "{time} time, after {change}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_kept_where_that_is_asked_for() {
    let stage = Stage::new(80);
    run(&stage, &["streams", stage.path.to_str().unwrap(), "--no-cache"]);
    assert!(!stage.cache_folder().exists());
    run(&stage, &["streams", stage.path.to_str().unwrap()]);
    assert!(stage.file().exists());
}

#[test]
fn a_damaged_file_is_told_of_and_the_answer_is_right() {
    let stage = Stage::new(80);
    let question = ["streams", stage.path.to_str().unwrap()];
    let right = run(&stage, &question);
    fs::write(stage.file(), "no cache file of ours, but of its name").unwrap();
    let answer = run(&stage, &question);
    assert_eq!(answer.out, right.out);
    assert!(answer.err.contains("the index in the cache was thrown away"), "{}", answer.err);
    assert_eq!(run(&stage, &question).err, right.err, "once is enough");
}

#[test]
fn the_cache_is_listed_and_cleared() {
    let stage = Stage::new(80);
    let path = fs::canonicalize(&stage.path).unwrap();
    let path = path.to_str().unwrap();
    assert!(run(&stage, &["cache"]).out.starts_with("0 of at most 2147483648 bytes in "));
    run(&stage, &["streams", path]);
    let listed = run(&stage, &["cache"]).out;
    let bytes = fs::metadata(stage.file()).unwrap().len();
    let line = listed.lines().nth(1).expect("a line under the heads");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words, ["2100-01-01T00:00:00Z", &bytes.to_string(), "80", path], "{listed}");
    let json = Json::parse(run(&stage, &["cache", "--json"]).out.as_bytes()).unwrap().to_compact();
    assert!(json.contains(&format!("\"bytes\":{bytes}")) && json.contains("\"events\":80"), "{json}");
    fs::write(stage.file(), "damaged").unwrap();
    assert!(run(&stage, &["cache"]).out.contains("cannot be read"));
    let cleared = run(&stage, &["cache", "--clear"]);
    assert_eq!(cleared.out, "1 file with 7 bytes thrown away\n");
    assert!(run(&stage, &["cache"]).out.starts_with("0 of at most"));
}

#[test]
fn the_window_is_told_to_keep_nothing() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut wanted = None;
    let stage = Stage::new(3);
    let arguments = ["timeglass", stage.path.to_str().unwrap(), "--no-cache"];
    cli::run(arguments, &mut Output::new(&mut out, &mut err), |request| {
        wanted = Some(request);
        Exit::Done
    });
    assert_eq!(
        wanted,
        Some(WindowRequest {
            store: Some(stage.path.clone()),
            project: None,
            no_cache: true,
            rehearsal: None
        })
    );
}
