//! Takes off what a library wraps around the domain data.

use std::sync::Arc;

use crate::{
    model::{Json, Object},
    store::layout::Unwrap,
};

/// The data without its wrapping; what is not wrapped stays as it is.
#[must_use]
pub fn unwrapped(json: Json, unwrap: &[Unwrap]) -> Json {
    unwrap.iter().fold(json, |json, step| match step {
        Unwrap::TypedValues => typed_values(json),
        Unwrap::TypeTag => type_tag(json),
        Unwrap::Without(names) => match json {
            Json::Object(object) => {
                let keep = object.iter().filter(|(name, _)| !names.contains(name));
                Json::object(keep.map(|(name, value)| (Arc::clone(name), value.clone())))
            }
            other => other,
        },
    })
}

/// The one member of `{"MoneyDeposited": {…}}`; a name alone, as of an event without data, is none.
fn type_tag(json: Json) -> Json {
    match json.as_object().filter(|object| object.len() == 1).and_then(|object| object.member(0)) {
        Some((_, value)) => value.clone(),
        None if json.as_text().is_some() => Json::object::<&str>([]),
        None => json,
    }
}

fn typed_values(json: Json) -> Json {
    match json {
        Json::Object(object) => match typed_value(&object) {
            Some(data) => typed_values(data.clone()),
            None if !object.iter().any(|(_, value)| has_parts(value)) => Json::Object(object),
            None => Json::object(
                object.iter().map(|(name, value)| (Arc::clone(name), typed_values(value.clone()))),
            ),
        },
        Json::Array(items) if items.iter().any(has_parts) => {
            Json::array(items.iter().map(|item| typed_values(item.clone())))
        }
        other => other,
    }
}

fn has_parts(json: &Json) -> bool {
    json.len().is_some_and(|length| length > 0)
}

fn typed_value(object: &Object) -> Option<&Json> {
    if object.len() != 2 {
        return None;
    }
    object.get("_type_")?;
    object.get("_data_")
}

#[cfg(test)]
mod tests {
    use super::{Unwrap, unwrapped};
    use crate::model::Json;

    fn check(json: &str, unwrap: &[Unwrap], expected: &str) {
        let found = unwrapped(Json::parse(json.as_bytes()).unwrap(), unwrap);
        assert_eq!(found.to_compact(), expected, "{json}");
    }

    #[test]
    fn wrappings_come_off() {
        check(
            r#"{"at":{"_type_":"datetime_iso","_data_":"2024"},"n":[{"_type_":"t","_data_":[1]}],"x":1}"#,
            &[Unwrap::TypedValues],
            r#"{"at":"2024","n":[[1]],"x":1}"#,
        );
        check(r#"{"Opened":{"a":1}}"#, &[Unwrap::TypeTag], r#"{"a":1}"#);
        check(r#""Closed""#, &[Unwrap::TypeTag], "{}");
        check(r#"{"id":1,"a":2}"#, &[Unwrap::Without(vec!["id".into()])], r#"{"a":2}"#);
        check("[1]", &[Unwrap::TypeTag, Unwrap::Without(vec!["id".into()])], "[1]");
    }
}
