//! The project file as text: reading it with places for messages, changing it with care.

use std::{collections::BTreeMap, ops::Range, path::Path};

use toml_edit::{
    Document, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value, de::from_document,
};

use crate::{
    project::{
        LayoutChoice, ProjectError, ProjectFile, Sections,
        source_text::{ABSENT, FORMS, parse_source, source_text},
    },
    store::layout::Role,
};

/// Reads the text of a file.
pub(super) fn read(path: &Path, text: &str) -> Result<ProjectFile, ProjectError> {
    let document = Document::parse(text.to_owned()).map_err(|err| syntax_error(path, text, &err))?;
    let mut reader = Reader { path, text, warnings: Vec::new() };
    let mut layout = None;
    for (key, item) in document.as_table() {
        if key == "layout" {
            layout = Some(reader.layout(item)?);
        } else if !SECTIONS.contains(&key) {
            reader.warn(key, item);
        }
    }
    let warnings = reader.warnings;
    let sections = from_document(document).map_err(|err| {
        let (line, column) = place(text, err.span());
        ProjectError::Invalid { path: path.to_owned(), line, column, problem: err.message().to_owned() }
    })?;
    Ok(ProjectFile { path: path.to_owned(), layout, sections, warnings })
}

/// The keys of [`Sections`].
const SECTIONS: [&str; 10] = [
    "reducers",
    "scripts",
    "watch",
    "condition",
    "bookmark",
    "trail",
    "branch",
    "projection",
    "snapshot",
    "published",
];

/// The text with what differs between `before` and `after` changed in it, and all else as it was.
pub(super) fn with_sections(
    path: &Path,
    text: &str,
    before: &Sections,
    after: &Sections,
) -> Result<String, ProjectError> {
    read(path, text)?;
    let mut document: DocumentMut = text.parse().map_err(|err| syntax_error(path, text, &err))?;
    let (before, mut after) = (sections_document(path, before)?, sections_document(path, after)?);
    for key in SECTIONS {
        let (old, new) = (before.get(key).map(Item::to_string), after.get(key).map(Item::to_string));
        if old == new {
            continue;
        }
        match after.remove(key).filter(|item| !is_empty(item)) {
            Some(Item::Table(new)) => merge_table(&mut document, key, new),
            Some(new) => {
                document.insert(key, new);
            }
            None => {
                document.remove(key);
            }
        }
    }
    Ok(document.to_string())
}

/// Sets the members of a table one by one, so that comments beside those that stay are kept.
fn merge_table(document: &mut DocumentMut, key: &str, new: Table) {
    let Some(table) = document.get_mut(key).and_then(Item::as_table_mut) else {
        document.insert(key, Item::Table(new));
        return;
    };
    table.retain(|name, _| new.contains_key(name));
    for (name, item) in new {
        if table.get(&name).is_none_or(|old| old.to_string().trim() != item.to_string().trim()) {
            table.insert(&name, item);
        }
    }
}

fn is_empty(item: &Item) -> bool {
    match item {
        Item::Table(table) => table.is_empty(),
        Item::ArrayOfTables(tables) => tables.is_empty(),
        Item::Value(Value::Array(items)) => items.is_empty(),
        Item::Value(_) | Item::None => false,
    }
}

/// Sections as a document of their own, spread over lines as people write them.
fn sections_document(path: &Path, sections: &Sections) -> Result<DocumentMut, ProjectError> {
    let invalid =
        |problem: String| ProjectError::Invalid { path: path.to_owned(), line: 1, column: 1, problem };
    let text = toml_edit::ser::to_string_pretty(sections).map_err(|err| invalid(err.to_string()))?;
    text.parse().map_err(|err: TomlError| invalid(err.message().to_owned()))
}

/// The text with another layout in it, and all else as it was.
pub(super) fn with_layout(path: &Path, text: &str, choice: &LayoutChoice) -> Result<String, ProjectError> {
    // Read it with places first: what would be refused on the way in must not be written over.
    read(path, text)?;
    let mut document: DocumentMut = text.parse().map_err(|err| syntax_error(path, text, &err))?;
    let no_table = |key| {
        let problem = format!("`{key}` is not a table");
        ProjectError::Invalid { path: path.to_owned(), line: 1, column: 1, problem }
    };
    let layout = document.entry("layout").or_insert_with(toml_edit::table);
    // Nothing but an inline table fits into an inline table.
    let new_roles =
        if layout.is_inline_table() { toml_edit::value(InlineTable::new()) } else { toml_edit::table() };
    let layout = layout.as_table_like_mut().ok_or_else(|| no_table("layout"))?;
    set(layout, "table", &choice.table);
    set(layout, "fingerprint", &choice.fingerprint);
    let roles = layout.entry("roles").or_insert(new_roles);
    let roles = roles.as_table_like_mut().ok_or_else(|| no_table("layout.roles"))?;
    for role in Role::ALL {
        match choice.roles.get(&role) {
            Some(Some(source)) => set(roles, role.key(), &source_text(source)),
            Some(None) => set(roles, role.key(), ABSENT),
            None => {
                roles.remove(role.key());
            }
        }
    }
    Ok(document.to_string())
}

/// Sets a text and keeps the comment beside it.
fn set(table: &mut dyn TableLike, key: &str, text: &str) {
    let mut value = Value::from(text);
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn layout(&mut self, item: &Item) -> Result<LayoutChoice, ProjectError> {
        let mut choice = LayoutChoice { table: "".into(), fingerprint: "".into(), roles: BTreeMap::new() };
        for (key, item) in self.members("layout", item)?.iter() {
            match key {
                "table" => choice.table = self.string("layout.table", item)?.into(),
                "fingerprint" => choice.fingerprint = self.string("layout.fingerprint", item)?.into(),
                "roles" => self.roles(item, &mut choice)?,
                _ => self.warn(&format!("layout.{key}"), item),
            }
        }
        if choice.table.is_empty() {
            return Err(self.invalid(item.span(), "`layout` names no `table`".to_owned()));
        }
        Ok(choice)
    }

    fn roles(&mut self, item: &Item, choice: &mut LayoutChoice) -> Result<(), ProjectError> {
        for (key, item) in self.members("layout.roles", item)?.iter() {
            let Some(role) = Role::from_key(key) else {
                self.warn(&format!("layout.roles.{key}"), item);
                continue;
            };
            let text = self.string(&format!("layout.roles.{key}"), item)?;
            let source = if text.eq_ignore_ascii_case(ABSENT) {
                None
            } else {
                let problem = || format!("`{text}` is no source for `{key}`; write {FORMS}");
                Some(parse_source(text).ok_or_else(|| self.invalid(item.span(), problem()))?)
            };
            choice.roles.insert(role, source);
        }
        Ok(())
    }

    fn members<'a>(&self, key: &str, item: &'a Item) -> Result<&'a dyn TableLike, ProjectError> {
        item.as_table_like().ok_or_else(|| self.invalid(item.span(), format!("`{key}` is not a table")))
    }

    fn string<'a>(&self, key: &str, item: &'a Item) -> Result<&'a str, ProjectError> {
        item.as_str().ok_or_else(|| self.invalid(item.span(), format!("`{key}` is not a text in quotes")))
    }

    fn warn(&mut self, key: &str, item: &Item) {
        let (line, column) = place(self.text, item.span());
        let path = self.path.display();
        self.warnings.push(format!("{path}:{line}:{column}: `{key}` means nothing to this version"));
    }

    fn invalid(&self, span: Option<Range<usize>>, problem: String) -> ProjectError {
        let (line, column) = place(self.text, span);
        ProjectError::Invalid { path: self.path.to_owned(), line, column, problem }
    }
}

fn syntax_error(path: &Path, text: &str, err: &TomlError) -> ProjectError {
    let (line, column) = place(text, err.span());
    ProjectError::Invalid { path: path.to_owned(), line, column, problem: err.message().to_owned() }
}

/// Line and column of the start of a span, both from 1.
fn place(text: &str, span: Option<Range<usize>>) -> (usize, usize) {
    let start = span.map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}
