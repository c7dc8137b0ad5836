//! What a script may do and how long it may take.

use std::time::Duration;

/// Which engine of `KurrentDB` the projection is meant for; they differ in details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineVersion {
    /// The old engine: transforms make the result, a cleared state starts anew.
    V1,
    /// The current engine.
    #[default]
    V2,
}

impl EngineVersion {
    /// The version of that number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }
}

/// The world outside the script, as the script sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum World {
    /// The real clock, and numbers that nobody can foresee.
    #[default]
    Live,
    /// No clock and no chance, so that the same events always make the same state: asking for either
    /// is a failure. With a seed chance comes from the seed and the clock is the event's own time.
    Frozen {
        /// What `Math.random` starts from, anew at the start of each run.
        seed: Option<u64>,
    },
}

/// How much a script may take before it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For loading the source.
    pub loading: Duration,
    /// For each call into the script.
    pub call: Duration,
    /// For all calls of one run together, if that is to be bounded.
    pub run: Option<Duration>,
    /// Memory of one engine, in bytes.
    pub memory: usize,
    /// A state, an emitted body or a logged object as text, in bytes.
    pub state: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            loading: Duration::from_secs(5),
            call: Duration::from_secs(5),
            run: None,
            memory: 256 << 20,
            state: 16 << 20,
        }
    }
}

/// How a source is loaded and run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The engine version whose rules hold.
    pub engine: EngineVersion,
    /// From this version of the database on its known oddities are mended: 26.2.0 and later store
    /// not-a-number as null and let a body be a plain value. `None` keeps them all.
    pub quirks: Option<(u32, u32, u32)>,
    /// When it is stopped.
    pub limits: Limits,
    /// Clock and chance.
    pub world: World,
}

impl Options {
    /// For a reducer: no clock and no chance but a seeded one.
    #[must_use]
    pub fn frozen(seed: Option<u64>) -> Self {
        Self { world: World::Frozen { seed }, ..Self::default() }
    }

    /// Whether the oddities that 26.2.0 mended are mended.
    pub(crate) fn is_mended(&self) -> bool {
        self.quirks.is_some_and(|version| version >= (26, 2, 0))
    }
}

/// Reads `26.2.0`; parts that are missing count as 0.
#[must_use]
pub fn parse_quirks(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.trim().split('.').map(|part| part.parse().ok());
    let first = parts.next()??;
    let second = parts.next().unwrap_or(Some(0))?;
    let third = parts.next().unwrap_or(Some(0))?;
    Some((first, second, third))
}
