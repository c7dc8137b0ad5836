//! What the chosen projection wrote beside its read model.

use std::sync::Arc;

use crate::projection::{Output, OutputCounts, OutputItem, OutputKind};

/// What the panel shows.
#[derive(Debug, Clone, Default)]
pub struct OutputView {
    /// Which kind is listed.
    pub kind: OutputKind,
    /// Whether all of it is, and not only what was written up to the cursor.
    pub is_all: bool,
    /// Only what contains this.
    pub filter: Arc<str>,
    /// Only what was written for this partition.
    pub partition: Option<Arc<str>>,
    /// How much there is of each kind; `None` while that is not known.
    pub counts: Option<OutputCounts>,
    /// How many are listed.
    pub listed: u64,
    /// Whether more pass the filter than are listed.
    pub is_cut: bool,
    /// The place of the first that is loaded.
    pub first: u64,
    /// Those that are loaded.
    pub rows: Arc<[Output]>,
    /// Raised when they became others, so that the list goes to its start.
    pub generation: u64,
    /// What is asked for changes with it: the rebuild, and the cursor where it counts.
    pub revision: (u64, Option<u64>),
    /// Whether others are on their way.
    pub is_loading: bool,
    /// The chosen one.
    pub chosen: Option<ChosenOutput>,
}

/// An output in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenOutput {
    /// It.
    pub output: Output,
    /// All that it says: data on many lines, a failure with the lines of source around it.
    pub text: Arc<str>,
}

impl OutputView {
    /// The output at a place in the list, if it is loaded.
    #[must_use]
    pub fn get(&self, place: u64) -> Option<&Output> {
        self.rows.get(usize::try_from(place.checked_sub(self.first)?).ok()?)
    }

    /// The place of the chosen one, if it is loaded.
    #[must_use]
    pub fn chosen_place(&self) -> Option<u64> {
        let number = self.chosen.as_ref()?.output.number;
        let place = self.rows.iter().position(|row| row.number == number)?;
        Some(self.first + place as u64)
    }
}

/// How a kind of output is called.
#[must_use]
pub fn output_title(kind: OutputKind) -> &'static str {
    match kind {
        OutputKind::Emitted => "Emitted",
        OutputKind::Logs => "Logs",
        OutputKind::Failures => "Failures",
        OutputKind::Results => "Results",
    }
}

/// The texts of an output in the columns of its kind, after the number of its event.
#[must_use]
pub fn output_cells(output: &Output) -> Vec<String> {
    /// So many letters of data are shown in a row.
    const PREVIEW: usize = 300;
    let cut = |text: &str| match text.char_indices().nth(PREVIEW) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    let partition = output.partition.to_string();
    match &output.what {
        OutputItem::Emitted(event) => {
            let event_type = if event.is_link { "link" } else { &*event.event_type };
            vec![event.stream.to_string(), event_type.to_owned(), cut(&event.data), partition]
        }
        OutputItem::Log(line) => vec![cut(line), partition],
        OutputItem::Failure(found) => {
            vec![found.event.to_string(), cut(&found.failure.message), found.what.to_string()]
        }
        OutputItem::Result(result) => vec![partition, result.to_preview(PREVIEW)],
    }
}
