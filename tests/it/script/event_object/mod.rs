//! What handlers can find out about the object that an event is to them. Its members are made when they are
//! read, and no script can tell.

use std::sync::Arc;

use timeglass::{
    model::Json,
    script::{Envelope, Options, Runner, Script, Step},
    work::Work,
};

#[test]
fn an_event_is_an_object_like_any_other_to_its_handlers() {
    let work = Work::default();
    let script =
        Script::load("handlers.js", include_str!("handlers.js"), &Options::default(), &work).unwrap();
    let mut runner = Runner::start(&script, &work).unwrap();
    let mut found = String::new();
    for (number, event_type) in script.handled_types().iter().enumerate() {
        let event = format!(
            r#"{{"type":"{event_type}","stream":"s-1","version":{number},"time":"2026-01-01T00:00:00Z","event_id":"id{number}",
                "data":{{"n":{number},"list":[{number}]}},"metadata":{{"m":1}}}}"#
        );
        let event = Arc::new(Envelope::from_listing(&Json::parse(event.as_bytes()).unwrap()).unwrap());
        let Step::Processed(step) = runner.feed(&event) else { panic!("{event_type}") };
        found.extend([event_type, "\n"]);
        for line in &step.logs {
            found.extend(["  ", line, "\n"]);
        }
        if &**event_type == "N" {
            found.extend(["  state ", &step.state.to_compact(), "\n"]);
        }
    }
    assert_eq!(found, include_str!("logs.txt"));
}
