//! Settings of the program: what is kept in the cache, and how much memory is taken.

use std::sync::Arc;

use crate::{
    session::{
        Session,
        cache::CacheQuestion,
        job::{Job, Question, Slot},
        opened::Opened,
        view::SettingsView,
    },
    store::cache::Cache,
};

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsAction {
    /// Looks how large the cache is.
    Look,
    /// Whether indexes are kept between runs.
    SetCaching(bool),
    /// How many MiB the cache may take.
    SetCacheBound(u64),
    /// Throws all that is kept away.
    ClearCache,
    /// How many MiB of memory may be taken beside the index.
    SetMemory(u64),
}

/// What is known of the cache.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Where it lies; `None` where nothing is ever kept.
    pub(crate) cache: Option<Cache>,
    /// Files and bytes, or why nobody knows.
    size: Option<Result<(usize, u64), Arc<str>>>,
}

impl Session {
    /// The same session with a cache of indexes, as far as the settings allow.
    #[must_use]
    pub fn with_cache(mut self, cache: Option<Cache>) -> Self {
        self.settings.cache = cache;
        self.refresh();
        self
    }

    /// The cache, if the user wants one.
    pub(crate) fn cache(&self) -> Option<Cache> {
        self.settings.cache.clone().filter(|_| self.workspace().is_caching)
    }

    pub(crate) fn apply_settings(&mut self, action: &SettingsAction) -> Vec<Job> {
        if let SettingsAction::SetMemory(mebibytes) = *action {
            self.workspace.memory_mebibytes = mebibytes;
            return self.with_store(|store, _| {
                store.share_memory(mebibytes);
                store.histories.settle().into_iter().collect()
            });
        }
        let measured = match action {
            SettingsAction::Look => self.with_store(|store, _| vec![store.histories.measure()]),
            _ => Vec::new(),
        };
        let Some(cache) = self.settings.cache.clone() else { return measured };
        let question = match *action {
            SettingsAction::Look => CacheQuestion::Measure(cache),
            SettingsAction::SetCaching(is_caching) => {
                self.workspace.is_caching = is_caching;
                CacheQuestion::SetBound(cache, self.wanted_bound())
            }
            SettingsAction::SetCacheBound(mebibytes) => {
                self.workspace.cache_mebibytes = mebibytes;
                CacheQuestion::SetBound(cache, self.wanted_bound())
            }
            SettingsAction::ClearCache => CacheQuestion::Clear(cache),
            // Was set above, since it needs no cache.
            SettingsAction::SetMemory(_) => return Vec::new(),
        };
        let job = Job { slot: Slot::CacheFolder, question: Question::Cache(question) };
        std::iter::once(job).chain(measured).collect()
    }

    /// In bytes; other programs that use the cache are to keep to it, too.
    fn wanted_bound(&self) -> u64 {
        if self.workspace.is_caching { self.workspace.cache_mebibytes.saturating_mul(1 << 20) } else { 0 }
    }

    pub(crate) fn take_cache_size(&mut self, size: Result<(usize, u64), String>) {
        self.settings.size = Some(size.map_err(Arc::from));
    }

    pub(crate) fn settings_view(&self) -> SettingsView {
        let workspace = self.workspace();
        SettingsView {
            folder: self.settings.cache.as_ref().map(|cache| cache.folder().to_owned()),
            is_caching: workspace.is_caching,
            cache_mebibytes: workspace.cache_mebibytes,
            cache_size: self.settings.size.clone(),
            memory_mebibytes: workspace.memory_mebibytes,
            memory: self.store().map(Opened::memory_parts).unwrap_or_default(),
        }
    }
}
