//! Which events a command is about: names, kinds and times.

use std::sync::Arc;

use crate::{
    cli::{
        choose::{time_from, time_until},
        failure::Failure,
        open::Opened,
    },
    model::EventQuery,
    store::{EventStore, StoreError, index::Selection, layout::Role},
};

/// Which events are meant.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Scope {
    /// Only events of this stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: Option<String>,
    /// Only events of streams of this category
    #[arg(long)]
    category: Option<String>,
    /// Only events of this type; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events at this time or later
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only events at this time or earlier; a date includes all of its day
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

impl Scope {
    /// Whether there are names, which can only be checked against all that there are.
    pub(crate) fn has_names(&self) -> bool {
        self.stream.is_some() || self.category.is_some() || !self.types.is_empty()
    }

    /// Whether there are times.
    pub(crate) fn has_times(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    /// The times as a query.
    pub(crate) fn times(&self) -> Result<EventQuery, Failure> {
        let from = self.from.as_deref().map(time_from).transpose()?;
        let to = self.to.as_deref().map(time_until).transpose()?;
        Ok(EventQuery { from, to, ..EventQuery::default() })
    }

    /// The names and times as a query.
    pub(crate) fn query(&self, opened: &Opened) -> Result<EventQuery, Failure> {
        let choice = opened.choice();
        let stream = self.stream.as_deref().map(|name| choice.stream(name)).transpose()?;
        Ok(EventQuery {
            types: choice.types(&self.types)?,
            category: self.category.as_deref().map(|name| choice.category(name)).transpose()?,
            stream: stream.and_then(|stream| opened.index.stream(stream)).map(|info| Arc::clone(&info.name)),
            ..self.times()?
        })
    }

    /// A time is no use with a store that holds none: better said than answered with nothing.
    pub(crate) fn check_times(&self, store: &dyn EventStore) -> Result<(), Failure> {
        let roles = &store.describe().layout.events.roles;
        match self.from.as_ref().or(self.to.as_ref()) {
            Some(given) if !roles.is_empty() && !roles.contains_key(&Role::Time) => {
                Err(Failure::trouble("the events of this store have no times")
                    .given(given)
                    .hint("leave --from and --to out"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The events that answer a query, by the index; `None` if all do.
pub(crate) fn chosen(opened: &Opened, query: &EventQuery) -> Result<Option<Selection>, Failure> {
    let work = opened.stop.wide_work();
    Ok(opened.index.filter(query, &work).map_err(StoreError::from)?)
}
