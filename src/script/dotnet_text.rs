//! JSON as .NET's writer spells it: the text of stored states, of object metadata and of logged objects
//! is compared byte by byte, so its number forms and escapes are kept.

use std::fmt::Write as _;

use crate::{
    model::Json,
    script::number_text::{dotnet_number, script_number},
};

/// The text of a value.
pub(crate) fn dotnet_text(value: &Json) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &Json) {
    match value {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Number(number) => write_number(text, number.as_str()),
        Json::Text(string) => write_string(text, string, is_escaped_in_values),
        Json::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(text, item);
            }
            text.push(']');
        }
        Json::Object(object) => {
            text.push('{');
            for (index, (name, member)) in object.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(text, name, is_escaped_in_names);
                text.push(':');
                write_value(text, member);
            }
            text.push('}');
        }
    }
}

/// Whole numbers of up to 16 digits are spelled alike; the rest takes the detour over the double.
fn write_number(text: &mut String, number: &str) {
    if number.len() <= 16 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.push_str(number);
    }
    match number.parse::<f64>() {
        Ok(value) => text.push_str(&dotnet_number(value)),
        Err(_) => text.push_str(&script_number(f64::NAN)),
    }
}

fn write_string(text: &mut String, string: &str, is_escaped: fn(char) -> bool) {
    text.push('"');
    for c in string.chars() {
        let short = match c {
            '\\' => "\\\\",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '"' if !is_escaped('"') => "\\\"",
            _ => "",
        };
        if !short.is_empty() {
            text.push_str(short);
        } else if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                write!(text, "\\u{unit:04X}").ok();
            }
        } else {
            text.push(c);
        }
    }
    text.push('"');
}

fn is_escaped_in_names(c: char) -> bool {
    !matches!(c, ' '..='~') || matches!(c, '"' | '&' | '\'' | '+' | '<' | '>' | '`')
}

fn is_escaped_in_values(c: char) -> bool {
    match c {
        ' '..='~' => false,
        // Blanks other than the space, separators, private use, what is no character.
        '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fffd}'.. => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::dotnet_text;
    use crate::model::Json;

    fn check(value: &str, expected: &str) {
        assert_eq!(dotnet_text(&Json::parse(value.as_bytes()).unwrap()), expected);
    }

    #[test]
    fn numbers_take_their_net_form() {
        check("[1, -1.50, 1e21, 1e-7, 0]", "[1,-1.5,1E+21,1E-07,0]");
    }

    #[test]
    fn names_escape_more_than_values() {
        check(r#"{"é<": "é<\"\n"}"#, r#"{"\u00E9\u003C":"é<\"\n"}"#);
        check(r#"["🐎", "\ufffd", "\u0001\u00a0"]"#, r#"["\uD83D\uDC0E","\uFFFD","\u0001\u00A0"]"#);
    }
}
