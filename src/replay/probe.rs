//! Asking something of a state and an event: a value at a path, or an expression over both.

use std::{fmt, sync::Arc};

use crate::{
    model::{Failure, Json, Pointer, RecordedEvent, Segment},
    replay::expressions::Expressions,
    script::reads_event,
    work::Work,
};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// The value at a path of the state.
    State(Pointer),
    /// The value at a path of the event's data.
    Event(Pointer),
    /// What a JavaScript expression over `state` and `event` gives.
    Expression(Arc<str>),
}

impl Probe {
    /// Reads what a user typed; nothing if nothing was.
    ///
    /// `/items/0`, `address.city` and `state.total` are paths of the state, `event:/amount` and
    /// `event.data.amount` paths of the event's data; anything else is an expression. A path that
    /// says the same as an expression is preferred: it costs nothing and keeps every digit.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.starts_with('/')
            && !text.contains('(')
            && let Some(path) = Pointer::parse(text)
        {
            return Some(Self::State(path));
        }
        if let Some(path) = text.strip_prefix("event:").and_then(Pointer::parse) {
            return Some(Self::Event(path));
        }
        Some(dotted(text).unwrap_or_else(|| Self::Expression(text.into())))
    }

    /// Whether what it finds may depend on the event, and not on the state alone.
    #[must_use]
    pub fn reads_event(&self) -> bool {
        match self {
            Self::State(_) => false,
            Self::Event(_) => true,
            Self::Expression(text) => reads_event(text),
        }
    }
}

/// `/items/0`, `event:/amount`, or the expression; [`Probe::typed`] reads it back.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(path) if path.segments().is_empty() => f.write_str("state"),
            Self::State(path) => path.fmt(f),
            Self::Event(path) => write!(f, "event:{path}"),
            Self::Expression(text) => f.write_str(text),
        }
    }
}

/// Names that begin no path, since they mean something in an expression.
const NO_MEMBERS: [&str; 6] = ["true", "false", "null", "undefined", "event", "this"];

/// A path written with dots; nothing if the text is more than that.
fn dotted(text: &str) -> Option<Probe> {
    let mut names: Vec<&str> = text.split('.').collect();
    let is_name =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    // The length of an array is no member of it.
    if !names.iter().all(|name| is_name(name) && *name != "length") {
        return None;
    }
    let path = |names: &[&str]| {
        let segment = |name: &&str| match name.parse::<usize>() {
            Ok(index) if index.to_string() == **name => Segment::Index(index),
            _ => Segment::Name((*name).into()),
        };
        names.iter().map(segment).collect::<Pointer>()
    };
    if let ["event", "data", rest @ ..] = names.as_slice() {
        return Some(Probe::Event(path(rest)));
    }
    if names.first() == Some(&"state") {
        names.remove(0);
    } else if names.first().is_some_and(|first| NO_MEMBERS.contains(first)) {
        return None;
    }
    Some(Probe::State(path(&names)))
}

/// What went wrong while something was asked of many steps: the first time, and how often in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The count of the first event it happened at; 0 is the state before the first event.
    pub count: usize,
    /// That event, as [`RecordedEvent::label`] writes it; empty before the first.
    pub event: Arc<str>,
    /// What went wrong there.
    pub failure: Failure,
    /// How often something went wrong.
    pub times: u64,
}

impl Fault {
    /// Adds a failure to what went wrong before.
    pub(crate) fn add(
        found: &mut Option<Self>,
        count: usize,
        event: Option<&RecordedEvent>,
        failure: Failure,
    ) {
        match found {
            Some(fault) => fault.times += 1,
            None => {
                let event = event.map(|event| event.label().into()).unwrap_or_default();
                *found = Some(Self { count, event, failure, times: 1 });
            }
        }
    }
}

/// Asks probes of one step after the other.
pub struct Prober {
    asked: Vec<Asked>,
    expressions: Expressions,
}

/// A probe, and what it found last.
struct Asked {
    probe: Probe,
    /// Which of the expressions it is.
    expression: Option<usize>,
    /// Whether the event cannot change the answer.
    is_of_state_alone: bool,
    last: Option<(Json, Result<Option<Json>, Failure>)>,
}

impl Prober {
    /// Prepares these probes. An expression that cannot be read fails whenever it is asked.
    #[must_use]
    pub fn start(probes: &[Probe], work: &Work) -> Self {
        let mut texts = Vec::new();
        let asked = probes.iter().map(|probe| {
            let expression = match probe {
                Probe::Expression(text) => {
                    texts.push(Arc::clone(text));
                    Some(texts.len() - 1)
                }
                Probe::State(_) | Probe::Event(_) => None,
            };
            let is_of_state_alone = !probe.reads_event();
            Asked { probe: probe.clone(), expression, is_of_state_alone, last: None }
        });
        let asked = asked.collect();
        Self { asked, expressions: Expressions::start(&texts, work) }
    }

    /// What a probe finds; `None` if there is nothing at its path.
    pub fn read(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<Option<Json>, Failure> {
        let Some(asked) = self.asked.get_mut(which) else { return Ok(None) };
        match (&asked.probe, asked.expression) {
            (Probe::State(path), _) => Ok(path.resolve(state).cloned()),
            (Probe::Event(path), _) => Ok(event.and_then(|event| path.resolve(event.data.json()?)).cloned()),
            (Probe::Expression(_), None) => Ok(None),
            // Before the first event there is none to ask.
            (Probe::Expression(_), Some(_)) if event.is_none() && !asked.is_of_state_alone => Ok(None),
            (Probe::Expression(_), Some(expression)) => {
                // Steps that left the state alone need no second look.
                if let Some((seen, found)) = &asked.last
                    && seen.is_same_node(state)
                {
                    return found.clone();
                }
                let found = self.expressions.value(expression, state, event).map(Some);
                if asked.is_of_state_alone {
                    asked.last = Some((state.clone(), found.clone()));
                }
                found
            }
        }
    }

    /// Whether what a probe finds counts as true. A probe is asked either this or [`read`](Self::read).
    pub fn holds(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<bool, Failure> {
        let Some(Asked { expression: Some(expression), last, is_of_state_alone, .. }) =
            self.asked.get_mut(which)
        else {
            return self.read(which, state, event).map(|value| is_true(value.as_ref()));
        };
        if let Some((seen, found)) = last
            && seen.is_same_node(state)
        {
            return found.clone().map(|value| is_true(value.as_ref()));
        }
        let found = self.expressions.holds(*expression, state, event);
        if *is_of_state_alone {
            *last = Some((state.clone(), found.clone().map(|holds| Some(Json::from(holds)))));
        }
        found
    }
}

/// Whether a value counts as true, as JavaScript has it; nothing counts as false.
#[must_use]
pub fn is_true(value: Option<&Json>) -> bool {
    match value {
        None | Some(Json::Null) => false,
        Some(Json::Bool(value)) => *value,
        Some(Json::Number(number)) => number.as_f64() != 0.0 && !number.as_f64().is_nan(),
        Some(Json::Text(text)) => !text.is_empty(),
        Some(Json::Array(_) | Json::Object(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Probe, is_true};
    use crate::model::{Json, Pointer};

    fn check(typed: &str, expected: &Probe, shown: &str) {
        let found = Probe::typed(typed).unwrap();
        assert_eq!(found, *expected, "{typed}");
        assert_eq!(found.to_string(), shown);
        assert_eq!(Probe::typed(shown), Some(found), "{shown} is read back");
    }

    #[test]
    fn a_path_is_told_from_an_expression() {
        let path = |text: &str| Pointer::parse(text).unwrap();
        let expression = |text: &str| Probe::Expression(text.into());
        check("/items/0", &Probe::State(path("/items/0")), "/items/0");
        check("total", &Probe::State(path("/total")), "/total");
        check("state.address.city", &Probe::State(path("/address/city")), "/address/city");
        check("items.0.sku", &Probe::State(path("/items/0/sku")), "/items/0/sku");
        check("état", &Probe::State(path("/état")), "/état");
        check("state", &Probe::State(Pointer::root()), "state");
        check("event.data.amount", &Probe::Event(path("/amount")), "event:/amount");
        check("event:/amount", &Probe::Event(path("/amount")), "event:/amount");
        check("state.items.length", &expression("state.items.length"), "state.items.length");
        check(" state.total < 0 ", &expression("state.total < 0"), "state.total < 0");
        check("event.type", &expression("event.type"), "event.type");
        check("/^a/.test(state.x)", &expression("/^a/.test(state.x)"), "/^a/.test(state.x)");
        check("true", &expression("true"), "true");
        assert_eq!(Probe::typed("  "), None);
    }

    #[test]
    fn truth_is_as_in_javascript() {
        for (text, expected) in [
            ("null", false),
            ("false", false),
            ("0", false),
            ("-0.0", false),
            ("\"\"", false),
            ("true", true),
            ("-1", true),
            ("\"0\"", true),
            ("[]", true),
            ("{}", true),
        ] {
            assert_eq!(is_true(Some(&Json::parse(text.as_bytes()).unwrap())), expected, "{text}");
        }
        assert!(!is_true(None));
    }
}
