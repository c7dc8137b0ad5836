//! The conformance corpus of the projection dialect, every case of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::Arc,
};

use timeglass::{
    model::Json,
    script::{Case, Runner, Script, Step},
    work::Work,
};

fn cases() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kurrent-projections");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// A value as the corpus compares it: numbers as doubles, members sorted.
fn comparable(json: &Json) -> String {
    match json {
        Json::Number(number) => format!("{:?}", number.as_f64() + 0.0),
        Json::Array(items) => format!("[{}]", items.iter().map(comparable).collect::<Vec<_>>().join(",")),
        Json::Object(object) => {
            let members: BTreeMap<&str, String> =
                object.iter().map(|(name, member)| (&**name, comparable(member))).collect();
            format!("{members:?}")
        }
        Json::Null | Json::Bool(_) | Json::Text(_) => json.to_compact(),
    }
}

/// A text as JSON if it is JSON, else as it is.
fn as_json(json: &Json) -> String {
    let parsed = json.as_text().and_then(|text| Json::parse(text.as_bytes()).ok());
    comparable(&parsed.unwrap_or_else(|| json.clone()))
}

fn member<'a>(json: &'a Json, name: &str) -> &'a Json {
    json.get(name).unwrap_or(&Json::Null)
}

fn items(json: &Json, name: &str) -> Vec<Json> {
    member(json, name).as_array().map(timeglass::model::Array::to_vec).unwrap_or_default()
}

/// What is to be compared of a step.
fn step(json: &Json) -> String {
    let names = ["status", "reason", "fault", "partition", "state", "result", "sharedState"];
    let text =
        names.map(|name| format!("{name}={}", json.get(name).map(comparable).unwrap_or_default())).join(" ");
    let logs: Vec<String> = items(json, "logs").iter().map(as_json).collect();
    let emitted = items(json, "emitted").iter().map(emitted).collect::<Vec<_>>();
    format!("{text} logs={logs:?} emitted={emitted:?}")
}

fn emitted(json: &Json) -> String {
    let plain =
        ["streamId", "eventType", "isJson", "isLink", "metadata"].map(|name| comparable(member(json, name)));
    let is_json = matches!(member(json, "isJson"), Json::Bool(true));
    let data = member(json, "data");
    format!("{plain:?} {}", if is_json { as_json(data) } else { comparable(data) })
}

fn definition(json: &Json) -> String {
    let object = json.as_object().unwrap();
    let shown = |(name, value): (&Arc<str>, &Json)| match (&**name, value.as_array()) {
        ("events", Some(events)) => format!("{:?}", events.iter().map(comparable).collect::<BTreeSet<_>>()),
        _ => format!("{name}={}", comparable(value)),
    };
    let members = object.iter().filter(|(name, _)| ***name != *"diagnostics");
    members.map(shown).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}

/// What the case says should happen, and what does.
fn play(case: &Json) -> Result<(), String> {
    let expected = member(case, "expect");
    let differ = |what: &str, expected: String, found: String| {
        if expected == found {
            Ok(())
        } else {
            Err(format!("{what}\n  expected {expected}\n  found    {found}"))
        }
    };
    let compile = member(expected, "compile").as_text().unwrap();
    let given = Case::from_json(case).unwrap();
    let script = match Script::load("case.js", &given.source, &given.options, &Work::default()) {
        Ok(script) => script,
        Err(err) => return differ("compile", compile.to_owned(), err.kind.name().to_owned()),
    };
    differ("compile", compile.to_owned(), "ok".to_owned())?;
    differ(
        "definition",
        definition(member(expected, "definition")),
        definition(&script.definition().to_json()),
    )?;
    let mut runner = Runner::start(&script, &Work::default()).unwrap();
    for (partition, text) in &given.initial_state {
        runner.set_state_text(partition, text).unwrap();
    }
    let mut steps = items(expected, "steps").into_iter();
    for (index, event) in given.events.iter().enumerate() {
        let Some(wanted) = steps.next() else { break };
        let found = runner.feed(event);
        differ(&format!("step {index}"), step(&wanted), step(&found.to_json()))?;
        // More than the corpus asks for: the stored text, letter by letter.
        differ(
            "stateRaw",
            comparable(member(&wanted, "stateRaw")),
            comparable(member(&found.to_json(), "stateRaw")),
        )?;
        if let Step::Faulted(faulted) = &found {
            assert!(!faulted.failure.message.is_empty());
        }
    }
    assert_eq!(steps.next(), None, "more steps than events");
    let states = runner.states().map(|(partition, state)| (Arc::clone(partition), state.clone()));
    differ("final", comparable(member(expected, "final")), comparable(&Json::object(states)))?;
    let shared = runner.shared_state().cloned().unwrap_or_default();
    differ("finalShared", comparable(member(expected, "finalShared")), comparable(&shared))
}

#[test]
fn the_192_cases_of_the_corpus_hold() {
    let cases = cases();
    assert_eq!(cases.len(), 192);
    let mut broken = Vec::new();
    for path in cases {
        let case = Json::parse(&fs::read(&path).unwrap()).unwrap();
        if let Err(why) = play(&case) {
            broken.push(format!("{}: {why}", path.file_stem().unwrap().to_string_lossy()));
        }
    }
    assert!(broken.is_empty(), "{} broken\n{}", broken.len(), broken.join("\n"));
}
