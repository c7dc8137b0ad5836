//! What makes a read model: a section of an SQL file, or a projection in JavaScript.

use std::{path::Path, sync::Arc};

use crate::{
    projection::{
        compile,
        sql_file::{self, Section},
    },
    script::{Options, Script},
    work::Work,
};

/// A projection that can be run.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name: what `@projection` says, or the file's name without its ending.
    pub name: Arc<str>,
    /// The file's name, for messages.
    pub file: Arc<str>,
    /// The columns that tell rows apart; empty where rows have no key and equal rows may occur.
    pub key: Vec<Arc<str>>,
    /// What runs.
    pub kind: Kind,
    /// Stays the same as long as the definition makes the same read model.
    pub fingerprint: Arc<str>,
}

/// What a definition is written in.
#[derive(Debug, Clone)]
pub enum Kind {
    /// SQL statements by event type. The table that they make is called as the projection.
    Sql(Arc<SqlSource>),
    /// JavaScript; its read model has the columns `partition` and `state`.
    Script(Script),
}

/// The statements of one `@projection` section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SqlSource {
    /// Everything before the first `@on`: what makes the tables.
    pub setup: Vec<Statement>,
    /// The statements of each `@on`, in the order of the file.
    pub handlers: Vec<Handler>,
    /// Only events of this category, if the section says so.
    pub category: Option<Arc<str>>,
}

/// The statements that run at an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handler {
    /// The event types.
    pub types: Vec<Arc<str>>,
    /// Line of the directive, from 1.
    pub line: u32,
    /// What runs, in order.
    pub statements: Vec<Statement>,
}

/// One SQL statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// Its text.
    pub sql: Arc<str>,
    /// Its first line in the file, from 1.
    pub line: u32,
}

/// Which directive a mistake stands under, at the end of its message.
fn under(directive: Option<&str>) -> String {
    directive.map(|directive| format!(" (under `{directive}`)")).unwrap_or_default()
}

/// Why a file defines no projection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}{}", under(directive.as_deref()))]
pub struct DefinitionError {
    /// The file's name.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// What is wrong, and what would be right.
    pub message: String,
    /// The directive it stands under, if any: `@on OrderPlaced`.
    pub directive: Option<Arc<str>>,
}

impl Definition {
    /// Every projection that a file defines: those of an `.sql` file by its directives, one of any other.
    ///
    /// SQL is tried out in an empty database in memory, so that a table that cannot be made, a statement that
    /// does not fit it, and a parameter that does not exist are found here. Fails with the first mistake.
    pub fn parse(path: &Path, text: &str, options: &Options) -> Result<Vec<Self>, DefinitionError> {
        let file: Arc<str> =
            path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy()).into();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql")) {
            let sections = sql_file::sections(&file, text)?;
            return sections.into_iter().map(|section| Self::of_section(&file, section)).collect();
        }
        Self::of_script(path, file, text, options).map(|definition| vec![definition])
    }

    fn of_section(file: &Arc<str>, section: Section) -> Result<Self, DefinitionError> {
        let mut definition = Self {
            name: section.name,
            file: Arc::clone(file),
            key: section.key.clone().unwrap_or_default(),
            fingerprint: "".into(),
            kind: Kind::Sql(Arc::new(section.source)),
        };
        let Kind::Sql(source) = &definition.kind else { return Ok(definition) };
        definition.key = compile::try_out(&definition, source, section.line, section.key.is_some())?;
        definition.fingerprint = sql_fingerprint(&definition, source);
        Ok(definition)
    }

    fn of_script(
        path: &Path,
        file: Arc<str>,
        text: &str,
        options: &Options,
    ) -> Result<Self, DefinitionError> {
        let script = Script::load(&file, text, options, &Work::default()).map_err(|err| DefinitionError {
            file: Arc::clone(&file),
            line: err.failure.line.unwrap_or(1),
            message: err.failure.message.to_string(),
            directive: None,
        })?;
        let name = path.file_stem().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
        let fingerprint = fingerprint(["script", &*file, text, &format!("{options:?}")]);
        Ok(Self {
            name: name.into(),
            file,
            key: vec!["partition".into()],
            kind: Kind::Script(script),
            fingerprint,
        })
    }
}

impl Handler {
    /// `@on OrderPlaced, OrderReopened`.
    #[must_use]
    pub fn directive(&self) -> Arc<str> {
        format!("@on {}", self.types.join(", ")).into()
    }
}

fn sql_fingerprint(definition: &Definition, source: &SqlSource) -> Arc<str> {
    let mut parts: Vec<&str> = vec!["sql", &definition.name, source.category.as_deref().unwrap_or_default()];
    parts.extend(definition.key.iter().map(|column| &**column));
    parts.extend(source.setup.iter().map(|statement| &*statement.sql));
    for handler in &source.handlers {
        parts.push("@on");
        parts.extend(handler.types.iter().map(|name| &**name));
        parts.push("do");
        parts.extend(handler.statements.iter().map(|statement| &*statement.sql));
    }
    fingerprint(parts)
}

/// FNV-1a of 128 bits, with the length of each part: the standard library's hashers may change with its version.
pub(super) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> Arc<str> {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for part in parts {
        for byte in part.len().to_le_bytes().iter().chain(part.as_bytes()) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("{hash:032x}").into()
}
