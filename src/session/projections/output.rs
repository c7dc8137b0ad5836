//! What the chosen projection wrote beside its read model: a list, and one of it in full.

use std::sync::Arc;

use crate::{
    model::Json,
    projection::{Output, OutputCounts, OutputItem, OutputKind, OutputQuery, Outputs},
    script::excerpt,
    session::{
        job::{Job, Slot},
        opened::Opened,
        projections::{ProjectionQuestion, job, question::ModelTrouble},
        view::{ChosenOutput, OutputView},
    },
    work::Work,
};

/// Rows are fetched for one screen before and after the one that is shown, at most so many in all.
const MOST_ROWS: u64 = 600;

/// Those that pass a filter and are listed.
const MOST_FILTERED: usize = 2000;

/// What of the outputs is to be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputWish {
    /// Of which kind.
    pub kind: OutputKind,
    /// All of it, and not only what was written up to the cursor.
    pub is_all: bool,
    /// Only what contains this.
    pub filter: Arc<str>,
    /// Only what was written for this partition.
    pub partition: Option<Arc<str>>,
    /// The first place on screen.
    pub first: u64,
    /// How many places.
    pub count: usize,
}

/// The list of outputs.
#[derive(Default)]
pub(super) struct ModelOutput {
    wish: OutputWish,
    found: FoundOutput,
    asked: Option<Asked>,
    shown: Option<Asked>,
    generation: u64,
    chosen: Option<ChosenOutput>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    kind: OutputKind,
    until: Option<u64>,
    filter: Arc<str>,
    partition: Option<Arc<str>>,
    from: u64,
    to: u64,
    /// Which state of the read model.
    of: u64,
}

/// Outputs of a projection.
#[derive(Debug, Default)]
pub struct FoundOutput {
    counts: Option<OutputCounts>,
    listed: u64,
    is_cut: bool,
    first: u64,
    rows: Arc<[Output]>,
}

impl Asked {
    fn is_of(&self, other: &Self) -> bool {
        let own = (self.kind, self.until, &self.filter, &self.partition, self.of);
        own == (other.kind, other.until, &other.filter, &other.partition, other.of)
    }

    fn covers(&self, other: &Self) -> bool {
        self.is_of(other) && self.from <= other.from && other.to <= self.to
    }
}

impl ModelOutput {
    pub(super) fn take(&mut self, found: FoundOutput) {
        let asked = self.asked.take();
        let is_same = matches!((&asked, &self.shown), (Some(asked), Some(shown)) if asked.is_of(shown));
        if !is_same {
            self.generation += 1;
        }
        self.found = found;
        self.shown = asked;
    }

    pub(super) fn stop_waiting(&mut self) {
        self.asked = None;
    }
}

impl Opened {
    /// What is to be seen of the outputs changed, or what they are: fetches them unless they are there.
    pub(super) fn show_output(&mut self, wish: OutputWish) -> Vec<Job> {
        let cursor = self.model_count();
        let Some(run) = self.projections.chosen_run() else { return Vec::new() };
        let Some(model) = run.model().cloned() else { return Vec::new() };
        let of = run.generation;
        let output = &mut self.projections.output;
        if output.wish.kind != wish.kind {
            output.chosen = None;
        }
        let count = (wish.count as u64).clamp(1, MOST_ROWS / 3);
        let needed = Asked {
            kind: wish.kind,
            until: (!wish.is_all).then_some(cursor),
            filter: Arc::clone(&wish.filter),
            partition: wish.partition.clone(),
            from: wish.first,
            to: wish.first + count,
            of,
        };
        output.wish = wish;
        let has = |asked: &Option<Asked>| asked.as_ref().is_some_and(|asked| asked.covers(&needed));
        if has(&output.asked) || (output.asked.is_none() && has(&output.shown)) {
            return Vec::new();
        }
        let mut asked =
            Asked { from: needed.from.saturating_sub(count), to: needed.from + 2 * count, ..needed };
        if !asked.filter.is_empty() || asked.partition.is_some() {
            // How many pass is known when they have been looked for.
            (asked.from, asked.to) = (0, u64::MAX);
        }
        let query = OutputQuery {
            kind: asked.kind,
            until: asked.until,
            partition: asked.partition.clone(),
            contains: Arc::clone(&asked.filter),
            after: asked.from,
            limit: usize::try_from(asked.to - asked.from).unwrap_or(usize::MAX).min(MOST_FILTERED + 1),
        };
        output.asked = Some(asked);
        vec![job(Slot::Output, ProjectionQuestion::Output(Outputs::of(&model), query))]
    }

    /// Shows an output in full, and goes to the event at which it was written.
    pub(super) fn choose_output(&mut self, number: u64) -> Vec<Job> {
        let output = &self.projections.output;
        let Some(found) = output.found.rows.iter().find(|row| row.number == number).cloned() else {
            return Vec::new();
        };
        let source = self.projections.chosen_listed().and_then(|listed| self.file_of(listed)?.text.clone());
        let (text, count) = (told(&found, source.as_deref()).into(), found.count);
        self.projections.output.chosen = Some(ChosenOutput { output: found, text });
        self.go_to_model_count(count)
    }

    pub(super) fn forget_output(&mut self) {
        let generation = self.projections.output.generation + 1;
        self.projections.output = ModelOutput { generation, ..ModelOutput::default() };
    }

    pub(super) fn output_view(&self) -> OutputView {
        let output = &self.projections.output;
        let cursor = (!output.wish.is_all).then(|| self.model_count());
        OutputView {
            kind: output.wish.kind,
            is_all: output.wish.is_all,
            filter: Arc::clone(&output.wish.filter),
            partition: output.wish.partition.clone(),
            counts: output.found.counts,
            listed: output.found.listed,
            is_cut: output.found.is_cut,
            first: output.found.first,
            rows: Arc::clone(&output.found.rows),
            generation: output.generation,
            revision: (self.projections.chosen_run().map_or(0, |run| run.generation), cursor),
            is_loading: output.asked.is_some(),
            chosen: output.chosen.clone(),
        }
    }
}

/// Fetches outputs.
pub(super) fn found_output(
    work: &Work,
    outputs: &Outputs,
    query: &OutputQuery,
) -> Result<FoundOutput, ModelTrouble> {
    let counts = outputs.counts(work, query.until)?;
    let mut rows = outputs.page(work, query)?;
    let is_filtered = !query.contains.is_empty() || query.partition.is_some();
    let is_cut = is_filtered && rows.len() > MOST_FILTERED;
    rows.truncate(MOST_FILTERED);
    let listed = if is_filtered { rows.len() as u64 } else { counts.of(query.kind) };
    Ok(FoundOutput { counts: Some(counts), listed, is_cut, first: query.after, rows: rows.into() })
}

/// All that an output says.
fn told(output: &Output, source: Option<&str>) -> String {
    let pretty = |text: &str| Json::parse(text.as_bytes()).map(|json| json.to_pretty());
    match &output.what {
        OutputItem::Emitted(event) if event.is_json => {
            pretty(&event.data).unwrap_or_else(|_| event.data.to_string())
        }
        OutputItem::Emitted(event) => event.data.to_string(),
        OutputItem::Log(line) => pretty(line).unwrap_or_else(|_| line.to_string()),
        OutputItem::Failure(found) => match source {
            Some(source) => excerpt(source, &found.failure),
            None => found.failure.to_string(),
        },
        OutputItem::Result(result) => result.to_pretty(),
    }
}
