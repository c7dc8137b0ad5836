//! Numbers that JavaScript cannot hold as they were stored.

use std::sync::Arc;

use crate::{
    model::{Json, Pointer, Segment, decimal::same_number},
    script::number_text::script_number,
};

/// A number that lost digits on its way into the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rounding {
    /// Where it stands in the event's data.
    pub path: Pointer,
    /// As it was stored: `12345678901234567890`.
    pub stored: Arc<str>,
    /// As the script saw it: `12345678901234567000`.
    pub became: Arc<str>,
}

/// Whether the double says all that the text said.
pub(crate) fn is_exact(text: &str, value: f64) -> bool {
    same_number(text, &script_number(value))
}

/// Every number in `json` that a double cannot hold.
pub(crate) fn roundings(json: &Json) -> Vec<Rounding> {
    let mut found = Vec::new();
    look(json, &Pointer::root(), &mut found);
    found
}

fn look(json: &Json, path: &Pointer, found: &mut Vec<Rounding>) {
    match json {
        Json::Number(number) => {
            let value = number.as_f64();
            if number.as_str().len() > 15 && !is_exact(number.as_str(), value) {
                found.push(Rounding {
                    path: path.clone(),
                    stored: number.as_str().into(),
                    became: script_number(value).into(),
                });
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                look(item, &path.child(Segment::Index(index)), found);
            }
        }
        Json::Object(object) => {
            for (name, member) in object.iter() {
                look(member, &path.child(Segment::Name(Arc::clone(name))), found);
            }
        }
        Json::Null | Json::Bool(_) | Json::Text(_) => {}
    }
}
