//! What the frames of the session took.

use std::{fmt::Write as _, time::Duration};

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    /// The number of the step in which it was drawn.
    pub(super) step: usize,
    /// What ran in our own code.
    pub(super) own: Duration,
    /// What of it the processor worked, without the time in which it did something else (Linux).
    pub(super) worked: Option<Duration>,
    /// What of it the thread had something to do and no core to do it on (Linux).
    pub(super) waited: Option<Duration>,
    /// What the frame before took in all, drawing its pixels included.
    pub(super) before_in_all: Option<Duration>,
}

/// A frame that took long, and what it was spent on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlowFrame {
    /// How long the session lasted by then.
    pub at: Duration,
    /// What was done.
    pub name: &'static str,
    /// What ran in our own code.
    pub own: Duration,
    /// What of it the processor worked.
    pub worked: Duration,
    /// What was done in it and how long the processor worked on each, the longest first.
    pub doings: Vec<(String, Duration)>,
}

/// The frames that took longest so far.
#[derive(Default)]
pub(super) struct Slowest {
    frames: Vec<(usize, SlowFrame)>,
}

impl Slowest {
    /// So many are told.
    const TOLD: usize = 12;
    /// What was done for less is not told.
    const WORTH: Duration = Duration::from_micros(300);

    /// Notes a frame.
    pub(super) fn note(&mut self, frame: Frame, at: Duration, doings: Vec<(String, Duration)>) {
        let worked = frame.worked.unwrap_or(frame.own);
        let doings = doings.into_iter().take_while(|(_, worked)| *worked >= Self::WORTH).collect();
        let slow = SlowFrame { at, name: "", own: frame.own, worked, doings };
        let place = self.frames.partition_point(|(_, other)| other.worked >= worked);
        if place < Self::TOLD {
            self.frames.insert(place, (frame.step, slow));
            self.frames.truncate(Self::TOLD);
        }
    }

    /// The longest first; `names` are those of the steps.
    pub(super) fn told(&self, names: impl Iterator<Item = &'static str>) -> Vec<SlowFrame> {
        let names: Vec<&'static str> = names.collect();
        let named = |(step, frame): &(usize, SlowFrame)| SlowFrame {
            name: names.get(*step).copied().unwrap_or("the end"),
            ..frame.clone()
        };
        self.frames.iter().map(named).collect()
    }
}

/// What a session in the window cost.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrameReport {
    /// How long it lasted.
    pub lasted: Duration,
    /// From the window's creation to the first frame that showed events.
    pub first_rows: Option<Duration>,
    /// From the window's creation to the complete index.
    pub index: Option<Duration>,
    /// The whole session, and each of its steps.
    pub lines: Vec<FrameLine>,
    /// The frames on which the processor worked longest, the longest first.
    pub slowest: Vec<SlowFrame>,
    /// How many questions were asked in panels and menus, and which could not be.
    pub asked: (usize, Vec<&'static str>),
    /// What drawing took beside our own work: median and longest of all frames.
    pub drawing: (Duration, Duration),
    /// The share of one processor that the program used while nothing was done; nothing where the system does
    /// not tell.
    pub idle: Option<f64>,
    /// The memory of the process at the end, in bytes; nothing where the system does not tell.
    pub resident: Option<u64>,
}

/// The frames of one step, by our own work in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrameLine {
    /// What was done.
    pub name: &'static str,
    /// How many frames were drawn.
    pub frames: usize,
    /// Half of them took less.
    pub median: Duration,
    /// 99 of 100 took less.
    pub p99: Duration,
    /// None took more.
    pub longest: Duration,
    /// How many took more than 8 ms.
    pub above_8: usize,
    /// How many took more than 50 ms.
    pub above_50: usize,
    /// The same without waiting for a core; nothing where the system does not tell.
    pub undelayed: Option<Undelayed>,
}

/// What frames took, waiting for locks and disks included, but not waiting for a core that another thread had:
/// of the display, which may draw the pixels on it, of other programs, or a worker of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelayed {
    /// 99 of 100 took less.
    pub p99: Duration,
    /// None took more.
    pub longest: Duration,
    /// How many took more than 8 ms.
    pub above_8: usize,
}

impl FrameLine {
    fn of<'f>(name: &'static str, frames: impl Iterator<Item = &'f Frame> + Clone) -> Self {
        let mut times: Vec<Duration> = frames.clone().map(|frame| frame.own).collect();
        let mut undelayed: Vec<Duration> =
            frames.filter_map(|frame| Some(frame.own.saturating_sub(frame.waited?))).collect();
        times.sort_unstable();
        undelayed.sort_unstable();
        Self {
            name,
            frames: times.len(),
            median: percent(&times, 50),
            p99: percent(&times, 99),
            longest: percent(&times, 100),
            above_8: above(&times, 8),
            above_50: above(&times, 50),
            undelayed: (!undelayed.is_empty()).then(|| Undelayed {
                p99: percent(&undelayed, 99),
                longest: percent(&undelayed, 100),
                above_8: above(&undelayed, 8),
            }),
        }
    }
}

/// How many took more than so many milliseconds.
fn above(sorted: &[Duration], limit: u64) -> usize {
    sorted.len() - sorted.partition_point(|time| *time <= Duration::from_millis(limit))
}

fn percent(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).or_else(|| sorted.last()).copied().unwrap_or_default()
}

impl FrameReport {
    /// Sums up the frames; `names` are those of the steps.
    pub(super) fn of(frames: &[Frame], names: impl Iterator<Item = &'static str>) -> Self {
        let mut lines = vec![FrameLine::of("the whole session", frames.iter())];
        lines.extend(
            names.enumerate().map(|(step, name)| {
                FrameLine::of(name, frames.iter().filter(move |frame| frame.step == step))
            }),
        );
        let pairs = frames.iter().zip(frames.iter().skip(1));
        let mut drawing: Vec<Duration> =
            pairs.filter_map(|(frame, next)| Some(next.before_in_all?.saturating_sub(frame.own))).collect();
        drawing.sort_unstable();
        Self { lines, drawing: (percent(&drawing, 50), percent(&drawing, 100)), ..Self::default() }
    }

    /// As aligned text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{:36} {:>7} {:>9} {:>10} {:>9} {:>7} {:>8} {:>8}   {}\n",
            "our own work in a frame",
            "frames",
            "median",
            "99 of 100",
            "longest",
            "> 8 ms",
            "> 50 ms",
            "",
            "without waiting for a core: 99, longest, > 8 ms"
        );
        for line in &self.lines {
            let FrameLine { name, frames, median, p99, longest, above_8, above_50, undelayed } = line;
            let [median, p99, longest] = [median, p99, longest].map(|time| milliseconds(*time));
            let share = |above: usize| 100.0 * above as f64 / (*frames).max(1) as f64;
            let by_clock = share(*above_8);
            write!(
                text,
                "{name:36} {frames:>7} {median:>9} {p99:>10} {longest:>9} {above_8:>7} {above_50:>8} {by_clock:>6.1} %"
            )
            .ok();
            if let Some(Undelayed { p99, longest, above_8 }) = undelayed {
                let [p99, longest] = [p99, longest].map(|time| milliseconds(*time));
                let share = share(*above_8);
                write!(text, "   {p99:>9} {longest:>10} {above_8:>7} {share:>6.1} %").ok();
            }
            text.push('\n');
        }
        self.write_slowest(&mut text);
        let or_unknown = |time: Option<Duration>| time.map_or_else(|| "not reached".to_owned(), milliseconds);
        writeln!(
            text,
            "\nfrom the window's creation to the first rows {}, to the complete index {}",
            or_unknown(self.first_rows),
            or_unknown(self.index)
        )
        .ok();
        let (asked, missing) = &self.asked;
        write!(text, "{asked} questions asked in panels and menus").ok();
        if !missing.is_empty() {
            write!(
                text,
                "; not asked, since nothing was there to ask of when it was their turn: {}",
                missing.join(", ")
            )
            .ok();
        }
        text.push('\n');
        let (median, longest) = self.drawing;
        writeln!(
            text,
            "drawing pixels, which is the display's part: median {}, longest {}",
            milliseconds(median),
            milliseconds(longest)
        )
        .ok();
        if let Some(idle) = self.idle {
            writeln!(text, "processor while nothing was done: {:.2} % of one core", idle * 100.0).ok();
        }
        if let Some(resident) = self.resident {
            writeln!(text, "memory at the end: {:.0} MB resident", resident as f64 / 1e6).ok();
        }
        text
    }

    fn write_slowest(&self, text: &mut String) {
        text.push_str("\nthe frames on which the processor worked longest\n");
        for SlowFrame { at, name, own, worked, doings } in &self.slowest {
            let [own, worked] = [own, worked].map(|time| milliseconds(*time));
            let doings = doings.iter().take(6).map(|(what, time)| {
                let what: String = what.chars().take(60).collect();
                format!("{what} {}", milliseconds(*time))
            });
            let doings = doings.collect::<Vec<_>>().join(", ");
            let at = at.as_secs_f64();
            writeln!(text, "{at:>6.1} s  {worked:>9} of {own:>9}  {name}: {doings}").ok();
        }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> crate::model::Json {
        use crate::model::Json;
        let number = |time: Duration| Json::from((time.as_secs_f64() * 1e6).round() / 1e3);
        let line = |line: &FrameLine| {
            let undelayed = line.undelayed.as_ref();
            Json::object([
                ("what", Json::from(line.name)),
                ("frames", Json::from(line.frames as u64)),
                ("median_ms", number(line.median)),
                ("p99_ms", number(line.p99)),
                ("longest_ms", number(line.longest)),
                ("above_8_ms", Json::from(line.above_8 as u64)),
                ("above_50_ms", Json::from(line.above_50 as u64)),
                ("undelayed_p99_ms", Json::from(undelayed.map(|frames| number(frames.p99)))),
                ("undelayed_longest_ms", Json::from(undelayed.map(|frames| number(frames.longest)))),
                ("undelayed_above_8_ms", Json::from(undelayed.map(|frames| frames.above_8 as u64))),
            ])
        };
        Json::object([
            ("seconds", Json::from(self.lasted.as_secs_f64())),
            ("first_rows_ms", Json::from(self.first_rows.map(number))),
            ("index_ms", Json::from(self.index.map(number))),
            ("own_work", Json::array(self.lines.iter().map(line))),
            ("slowest", Json::array(self.slowest.iter().map(slow_json))),
            ("asked", Json::from(self.asked.0 as u64)),
            ("not_asked", Json::array(self.asked.1.iter().map(|words| Json::from(*words)))),
            ("drawing_median_ms", number(self.drawing.0)),
            ("drawing_longest_ms", number(self.drawing.1)),
            ("idle_processor", Json::from(self.idle)),
            ("resident_bytes", Json::from(self.resident)),
        ])
    }
}

fn slow_json(frame: &SlowFrame) -> crate::model::Json {
    use crate::model::Json;
    let number = |time: Duration| Json::from((time.as_secs_f64() * 1e6).round() / 1e3);
    let doing = |(what, time): &(String, Duration)| {
        Json::object([("what", Json::from(what.as_str())), ("processor_ms", number(*time))])
    };
    Json::object([
        ("at_ms", number(frame.at)),
        ("what", Json::from(frame.name)),
        ("own_ms", number(frame.own)),
        ("processor_ms", number(frame.worked)),
        ("doings", Json::array(frame.doings.iter().map(doing))),
    ])
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Frame, FrameReport, Slowest, Undelayed};

    #[test]
    fn frames_are_counted_by_step() {
        let frame = |step, own| Frame {
            step,
            own: Duration::from_millis(own),
            worked: Some(Duration::from_millis(own / 2)),
            waited: Some(Duration::from_millis(own / 3)),
            before_in_all: Some(Duration::from_millis(12)),
        };
        let frames = [frame(0, 2), frame(0, 9), frame(1, 60), frame(1, 1)];
        let report = FrameReport::of(&frames, ["first", "second"].into_iter());
        let counts: Vec<_> =
            report.lines.iter().map(|line| (line.name, line.frames, line.above_8, line.above_50)).collect();
        assert_eq!(counts, [("the whole session", 4, 2, 1), ("first", 2, 1, 0), ("second", 2, 1, 1)]);
        let undelayed = report.lines.first().and_then(|line| line.undelayed.as_ref());
        let millis = Duration::from_millis;
        assert_eq!(undelayed, Some(&Undelayed { p99: millis(40), longest: millis(40), above_8: 1 }));
        assert_eq!(report.drawing, (Duration::from_millis(3), Duration::from_millis(10)));
        let mut slowest = Slowest::default();
        for (at, frame) in (0..).zip(frames.iter().cycle().take(40)) {
            let doings = vec![("panel".to_owned(), frame.own), ("menu".to_owned(), Duration::ZERO)];
            slowest.note(*frame, Duration::from_secs(at), doings);
        }
        let told = slowest.told(["first", "second"].into_iter());
        let longest = told.first().map(|frame| (frame.name, frame.worked, frame.doings.len()));
        assert_eq!((told.len(), longest), (Slowest::TOLD, Some(("second", Duration::from_millis(30), 1))));
        assert!(report.to_text().contains("the whole session"), "{}", report.to_text());
    }
}
