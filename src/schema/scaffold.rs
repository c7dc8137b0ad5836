//! A working reducer, written from what a category's events look like.
//!
//! It is a start: it makes the state that taking over every field would make, and shows in comments
//! what each field holds. The same catalog gives the same text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use crate::{
    model::Json,
    schema::{
        catalog::{Catalog, TypeShape},
        shape::{Kind, Shape},
    },
};

/// Comments begin here at the earliest, in characters.
const COMMENT_COLUMN: usize = 48;

/// A comment ends here, in characters, or a little later where the code is long.
const LONGEST_LINE: usize = 120;
const LEAST_COMMENT: usize = 30;

/// Names that the dialect has a meaning of its own for; an event type of that name cannot be handled.
const SPECIAL: [&str; 5] = ["$init", "$initShared", "$any", "$created", "$deleted"];

/// The text of a reducer for a category.
#[must_use]
pub fn scaffold(catalog: &Catalog) -> String {
    let mut text = String::new();
    let category = catalog.category.as_deref().map_or_else(|| "streams without a category".to_owned(), safe);
    let events: u64 = catalog.types.iter().map(|shape| shape.events).sum();
    let types = catalog.types.len();
    let plural = if types == 1 { "" } else { "s" };
    for line in [
        &*format!("// A reducer for {category}, written from {events} events of {types} type{plural}."),
        "//",
        "// `$init` makes the state before the first event; then each event goes to the function of its type.",
        "// `s` is the state so far: change it, or return another. Of the event `e` there are",
        "// e.data, e.metadata, e.eventType, e.streamId, e.sequenceNumber and e.created.",
        "({",
        "    $init() {",
    ] {
        writeln!(text, "{line}").ok();
    }
    init_body(&mut text, catalog);
    writeln!(text, "    }},").ok();
    let parts = fields_in_parts(catalog);
    for shape in &catalog.types {
        writeln!(text).ok();
        handler(&mut text, shape, "    ", &parts);
    }
    writeln!(text, "}})").ok();
    text
}

/// The functions of a catalog's types alone, to be put into a reducer that lacks them.
#[must_use]
pub fn handlers(catalog: &Catalog, indent: &str) -> String {
    let mut text = String::new();
    let parts = fields_in_parts(catalog);
    for shape in &catalog.types {
        writeln!(text).ok();
        handler(&mut text, shape, indent, &parts);
    }
    text
}

/// The name of a file for a category's reducer: `order.js`.
#[must_use]
pub fn file_name(category: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let name: String = category.chars().take(60).map(|c| if is_plain(c) { c } else { '_' }).collect();
    if name.is_empty() { "reducer.js".to_owned() } else { format!("{name}.js") }
}

fn init_body(text: &mut String, catalog: &Catalog) {
    let fields = all_fields(catalog);
    if fields.is_empty() {
        writeln!(text, "        return {{}};").ok();
        return;
    }
    writeln!(text, "        return {{").ok();
    for (name, shape) in &fields {
        let default = if is_list(shape) { "[]" } else { "null" };
        let line = commented(&format!("            {}: {default},", key(name)), &shape.words());
        writeln!(text, "{line}").ok();
    }
    writeln!(text, "        }};").ok();
}

/// The fields of all types together, in the order in which they first occur.
fn all_fields(catalog: &Catalog) -> Vec<(Arc<str>, Shape)> {
    let mut fields: Vec<(Arc<str>, Shape)> = Vec::new();
    for (name, shape) in
        catalog.types.iter().filter(|one| is_whole(one) && !is_special(one)).flat_map(|one| &one.data.members)
    {
        match fields.iter_mut().find(|(other, _)| other == name) {
            Some((_, own)) => own.join(shape),
            None if is_safe_field(name) => fields.push((Arc::clone(name), shape.clone())),
            None => (),
        }
    }
    fields
}

/// The fields whose objects have other members in one event type than in another: each event seems to
/// bring a part of the object only.
fn fields_in_parts(catalog: &Catalog) -> BTreeSet<Arc<str>> {
    let mut first: BTreeMap<&Arc<str>, Vec<&Arc<str>>> = BTreeMap::new();
    let mut parts = BTreeSet::new();
    for (name, shape) in catalog.types.iter().flat_map(|one| &one.data.members) {
        let mut members: Vec<&Arc<str>> = shape.members.iter().map(|(member, _)| member).collect();
        members.sort();
        if !members.is_empty() && *first.entry(name).or_insert_with(|| members.clone()) != members {
            parts.insert(Arc::clone(name));
        }
    }
    parts
}

fn handler(text: &mut String, shape: &TypeShape, indent: &str, parts: &BTreeSet<Arc<str>>) {
    let TypeShape { name, events, read, unreadable, .. } = shape;
    let inside = format!("{indent}    ");
    let events = format!("{events} event{}", if *events == 1 { "" } else { "s" });
    let looked = if is_read_whole(shape) { String::new() } else { format!(", {read} of them read") };
    if is_special(shape) {
        writeln!(
            text,
            "{indent}// {name}: {events}; the name has a meaning of its own here, so they are not handled."
        )
        .ok();
        return;
    }
    writeln!(text, "{indent}// {events}{looked}").ok();
    writeln!(text, "{indent}{}(s, e) {{", key(name)).ok();
    if *unreadable > 0 {
        let words = format!("{unreadable} of {read} hold no JSON");
        writeln!(text, "{}", commented(&format!("{inside}if (!e.data) return;"), &words)).ok();
    }
    if is_whole(shape) {
        for (name, field) in &shape.data.members {
            let is_part = parts.contains(name) && field.kinds.iter().all(|kind| *kind == Kind::Object);
            writeln!(text, "{}", assignment(&inside, name, field, shape, is_part)).ok();
        }
    } else if shape.data.kinds.iter().all(|kind| *kind == Kind::Object) {
        for (name, field) in &shape.data.members {
            let words = safe(&format!("{name}: {}", field_words(field, shape)));
            writeln!(text, "{inside}// {}", cut(&words, LONGEST_LINE - inside.len())).ok();
        }
        writeln!(text, "{inside}Object.assign(s, e.data);").ok();
    } else {
        let value = if shape.data.kinds.contains(&Kind::List) { "e.data" } else { "JSON.parse(e.bodyRaw)" };
        let words = field_words(&shape.data, shape);
        let code = format!("{inside}s{} = {value};", access(name));
        writeln!(text, "{}", commented(&code, &words)).ok();
    }
    writeln!(text, "{indent}}},").ok();
}

fn assignment(indent: &str, name: &str, field: &Shape, shape: &TypeShape, is_part: bool) -> String {
    if !is_safe_field(name) {
        return format!("{indent}// {name} is left out: JavaScript gives that name a meaning of its own");
    }
    let access = access(name);
    let is_always = field.seen >= shape.data.seen;
    let condition = if is_always { String::new() } else { format!("if ({} in e.data) ", quoted(name)) };
    let value =
        if is_part { format!("{{ ...s{access}, ...e.data{access} }}") } else { format!("e.data{access}") };
    commented(&format!("{indent}{condition}s{access} = {value};"), &field_words(field, shape))
}

/// `text: "placed", "paid"`, `number, in 3 of 40: 12.5`.
fn field_words(field: &Shape, shape: &TypeShape) -> String {
    let mut words = field.words();
    if field.seen < shape.data.seen {
        write!(words, ", in {} of {}", field.seen, shape.data.seen).ok();
    }
    if !field.samples.is_empty() {
        let samples: Vec<String> = field.samples.iter().map(Json::to_compact).collect();
        write!(words, ": {}", samples.join(", ")).ok();
    }
    words
}

/// Whether every field can be taken over by its name: all events were read, and all are objects of
/// not too many members.
fn is_whole(shape: &TypeShape) -> bool {
    is_read_whole(shape)
        && !shape.data.has_more
        && shape.data.kinds.iter().all(|kind| *kind == Kind::Object)
        && !shape.data.members.is_empty()
}

/// Whether the dialect has a meaning of its own for the type's name.
fn is_special(shape: &TypeShape) -> bool {
    SPECIAL.contains(&&*shape.name)
}

fn is_read_whole(shape: &TypeShape) -> bool {
    shape.read >= shape.events
}

fn is_list(shape: &Shape) -> bool {
    shape.kinds.contains(&Kind::List)
        && shape.kinds.iter().all(|kind| matches!(kind, Kind::List | Kind::Null))
}

/// Assigning to this name would change an object's prototype instead.
fn is_safe_field(name: &str) -> bool {
    name != "__proto__"
}

/// A line of code with a comment behind it; comments of neighbouring lines stand below each other.
fn commented(code: &str, comment: &str) -> String {
    let width = code.chars().count();
    let column = if width + 1 < COMMENT_COLUMN { COMMENT_COLUMN } else { (width / 8 + 1) * 8 };
    let room = LONGEST_LINE.saturating_sub(column).max(LEAST_COMMENT);
    format!("{code}{}// {}", " ".repeat(column - width), cut(&safe(comment), room))
}

fn cut(comment: &str, room: usize) -> String {
    match comment.char_indices().nth(room) {
        Some((end, _)) => format!("{}…", comment.get(..end).unwrap_or(comment)),
        None => comment.to_owned(),
    }
}

/// A member's name in an object: bare where JavaScript allows it.
fn key(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { quoted(name) }
}

fn access(name: &str) -> String {
    if is_identifier(name) { format!(".{name}") } else { format!("[{}]", quoted(name)) }
}

fn is_identifier(name: &str) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    name.chars().next().is_some_and(is_start) && name.chars().all(|c| is_start(c) || c.is_ascii_digit())
}

/// A text as JavaScript writes it, with nothing in it that an editor would not show.
fn quoted(text: &str) -> String {
    let json = Json::from(text).to_compact();
    json.chars().fold(String::new(), |mut quoted, c| {
        if is_unseen(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(quoted, "\\u{unit:04x}").ok();
            }
        } else {
            quoted.push(c);
        }
        quoted
    })
}

/// A text for a comment: what would end the line or turn its direction is shown by its number.
fn safe(text: &str) -> String {
    text.chars().fold(String::new(), |mut safe, c| {
        if is_unseen(c) {
            write!(safe, "\\u{{{:x}}}", c as u32).ok();
        } else {
            safe.push(c);
        }
        safe
    })
}

/// Characters that end lines, are not drawn, or turn the direction of what stands beside them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{file_name, key, quoted, safe};

    fn check(found: &str, expected: &str) {
        assert_eq!(found, expected);
    }

    #[test]
    fn names_are_written_so_that_javascript_reads_them_back() {
        check(&key("total"), "total");
        check(&key("$total_2"), "$total_2");
        check(&key("2nd"), "\"2nd\"");
        check(&key("order id"), "\"order id\"");
        check(&key(""), "\"\"");
        check(&key("größe"), "\"größe\"");
        check(&quoted("a\"b\\\n\u{2028}\u{202e}"), "\"a\\\"b\\\\\\n\\u2028\\u202e\"");
    }

    #[test]
    fn a_comment_stays_on_its_line() {
        check(&safe("a\nb\u{2028}c\u{202e}d"), "a\\u{a}b\\u{2028}c\\u{202e}d");
    }

    #[test]
    fn a_file_name_is_one_name_in_one_folder() {
        check(&file_name("order"), "order.js");
        check(&file_name("../../etc/passwd"), "______etc_passwd.js");
        check(&file_name(""), "reducer.js");
        check(&file_name("Größe 1"), "Größe_1.js");
    }
}
