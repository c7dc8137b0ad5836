//! What was measured, and the table of it.

use std::time::Duration;

use crate::{
    cli::{
        failure::Failure,
        output::Output,
        table::{Side, Table},
    },
    model::Json,
};

/// What one question took, beside what plain SQL took for the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Figure {
    /// The group by which it can be chosen.
    pub(super) group: &'static str,
    pub(super) what: String,
    pub(super) times: Vec<Duration>,
    /// What it is compared with, if there is such a thing.
    pub(super) beside: String,
    pub(super) beside_times: Vec<Duration>,
    /// Bytes that were read of files when it was asked first; nothing where the system does not tell.
    pub(super) read: Option<u64>,
    /// What else is to be known: how many events there were.
    pub(super) note: String,
}

/// Times, in the order of their length.
struct Sorted(Vec<Duration>);

impl Sorted {
    fn of(times: &[Duration]) -> Self {
        let mut times = times.to_vec();
        times.sort_unstable();
        Self(times)
    }

    /// The time below which so many of a hundred lie.
    fn percent(&self, percent: usize) -> Option<Duration> {
        self.0.get(self.0.len() * percent / 100).or(self.0.last()).copied()
    }
}

impl Figure {
    pub(super) fn median(&self) -> Option<Duration> {
        Sorted::of(&self.times).percent(50)
    }

    /// Ours as a part of the other's.
    fn quotient(&self) -> Option<f64> {
        let beside = Sorted::of(&self.beside_times).percent(50)?;
        Some(self.median()?.as_secs_f64() / beside.as_secs_f64().max(1e-9))
    }

    pub(super) fn to_json(&self) -> Json {
        let quotient = self.quotient().map(|quotient| (quotient * 1000.0).round() / 1000.0);
        let own = times_json(&self.times)
            .chain([("read_bytes", Json::from(self.read)), ("note", Json::from(self.note.clone()))]);
        let beside = (!self.beside_times.is_empty()).then(|| {
            let what = ("what", Json::from(self.beside.clone()));
            Json::object([what].into_iter().chain(times_json(&self.beside_times)))
        });
        let names = [("group", Json::from(self.group)), ("what", Json::from(self.what.clone()))];
        let compared = [("beside", Json::from(beside)), ("quotient", number(quotient))];
        Json::object(names.into_iter().chain(own).chain(compared))
    }
}

fn times_json(times: &[Duration]) -> impl Iterator<Item = (&'static str, Json)> {
    let sorted = Sorted::of(times);
    let of = |percent| number(sorted.percent(percent).map(milliseconds));
    let figures = [
        ("samples", Json::from(times.len() as u64)),
        ("least_ms", of(0)),
        ("median_ms", of(50)),
        ("p99_ms", of(99)),
        ("most_ms", of(100)),
    ];
    figures.into_iter()
}

/// To the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn number(value: Option<f64>) -> Json {
    Json::from(value)
}

/// All figures as one table.
pub(super) fn write(figures: &[Figure], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("what", Side::Left),
        ("median", Side::Right),
        ("least", Side::Right),
        ("99 of 100", Side::Right),
        ("read", Side::Right),
        ("beside", Side::Left),
        ("median", Side::Right),
        ("quotient", Side::Right),
        ("", Side::Left),
    ]);
    for figure in figures {
        let (own, beside) = (Sorted::of(&figure.times), Sorted::of(&figure.beside_times));
        let cells = [
            figure.what.clone(),
            shown(own.percent(50)),
            shown(own.percent(0)),
            shown(own.percent(99)),
            figure.read.map(bytes_in_words).unwrap_or_default(),
            figure.beside.clone(),
            shown(beside.percent(50)),
            figure.quotient().map(|quotient| format!("{quotient:.3}")).unwrap_or_default(),
            figure.note.clone(),
        ];
        table.row(output, &cells)?;
    }
    table.write(output)
}

/// "0.08 ms", "3.4 s".
fn shown(time: Option<Duration>) -> String {
    let Some(time) = time else { return String::new() };
    let milliseconds = time.as_secs_f64() * 1e3;
    match milliseconds {
        0.0..10.0 => format!("{milliseconds:.3} ms"),
        10.0..1000.0 => format!("{milliseconds:.1} ms"),
        _ => format!("{:.2} s", milliseconds / 1e3),
    }
}

/// "12 kB", "6.7 GB"; powers of ten.
pub(super) fn bytes_in_words(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Figure, bytes_in_words, shown};

    fn check(micros: u64, expected: &str) {
        assert_eq!(shown(Some(Duration::from_micros(micros))), expected);
    }

    #[test]
    fn times_have_as_many_digits_as_they_deserve() {
        check(80, "0.080 ms");
        check(9_994, "9.994 ms");
        check(41_700, "41.7 ms");
        check(3_412_000, "3.41 s");
        assert_eq!(bytes_in_words(4_096), "5 kB");
        assert_eq!(bytes_in_words(5_922_418_688), "5.9 GB");
    }

    #[test]
    fn a_figure_says_how_it_compares() {
        let times = |list: &[u64]| list.iter().copied().map(Duration::from_millis).collect();
        let figure = Figure {
            group: "open",
            what: "open".to_owned(),
            times: times(&[4, 1, 2]),
            beside: "SQL".to_owned(),
            beside_times: times(&[8]),
            ..Figure::default()
        };
        let json = figure.to_json();
        let text = json.to_compact();
        assert!(text.contains(r#""least_ms":1,"median_ms":2,"p99_ms":4,"most_ms":4"#), "{text}");
        assert!(text.ends_with(r#""quotient":0.25}"#), "{text}");
    }
}
