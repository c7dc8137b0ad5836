//! The two inputs of the peer's own benchmark, event by event the same: a counter that does next to nothing
//! per event, and orders with lines, ten events each, a thousand open at a time.

use std::fmt::Write as _;

/// A projection and its events.
pub(crate) struct Workload {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// The projection.
    pub(crate) source: &'static str,
    /// The events, each as one JSON text, as the peer takes them.
    pub(crate) lines: Vec<String>,
    /// What the peer ends with.
    pub(crate) expected: Expected,
    /// What the peer reached on its own benchmark: events a second by the clock, and a second of processor.
    pub(crate) peer: Peer,
}

/// What a run must end with.
pub(crate) struct Expected {
    pub(crate) processed: usize,
    pub(crate) skipped: usize,
    pub(crate) emitted: usize,
    /// Members of the last state, as JSON.
    pub(crate) last: &'static [(&'static str, &'static str)],
}

/// What the peer was measured at: 200 000 events, Node 20, two cores, its own `feed`.
pub(crate) struct Peer {
    pub(crate) wall: f64,
    pub(crate) processor: f64,
}

/// How many events the recorded figures and the expected results are about.
pub(crate) const EVENTS: usize = 200_000;

pub(crate) fn counter() -> Workload {
    let line = |index: usize| {
        let head = head("Ticked", &format!("ticker-{}", index % 100), index / 100, index);
        format!("{head},\"data\":\"{{\\\"n\\\":{index}}}\"}}")
    };
    Workload {
        name: "counter",
        source: include_str!("counter.js"),
        lines: (0..EVENTS).map(line).collect(),
        expected: Expected {
            processed: EVENTS,
            skipped: 0,
            emitted: 0,
            last: &[("count", "200000"), ("last", "199999")],
        },
        peer: Peer { wall: 40_956.0, processor: 59_800.0 },
    }
}

pub(crate) fn orders() -> Workload {
    const WAVE: usize = 1000;
    let mut chance = Chance(42);
    let mut lines = Vec::with_capacity(EVENTS);
    for base in (0..EVENTS / 10).step_by(WAVE) {
        for step in 0..10 {
            for order in base..(base + WAVE).min(EVENTS / 10) {
                let (event_type, data) = order_event(&mut chance, step);
                let head = head(event_type, &format!("order-{order}"), step, lines.len());
                let metadata =
                    format!("{{\"$correlationId\":\"o-{order}\",\"user\":\"u{}\"}}", chance.pick(300));
                lines.push(format!("{head},\"data\":{},\"metadata\":{}}}", quoted(&data), quoted(&metadata)));
            }
        }
    }
    Workload {
        name: "orders",
        source: include_str!("orders.js"),
        lines,
        expected: Expected {
            processed: EVENTS / 10 * 9,
            skipped: EVENTS / 10,
            emitted: EVENTS / 5,
            last: &[("status", "\"shipped\""), ("total", "38924"), ("events", "9")],
        },
        peer: Peer { wall: 12_243.0, processor: 18_200.0 },
    }
}

/// Type and data of an order's event number `step`.
fn order_event(chance: &mut Chance, step: usize) -> (&'static str, String) {
    match step {
        0 => {
            let customer = chance.pick(5000);
            let lines = [line(chance), line(chance), line(chance)].join(",");
            let data = format!("{{\"customer\":\"c{customer}\",\"channel\":\"web\",\"lines\":[{lines}]}}");
            ("OrderPlaced", data)
        }
        1..=4 => ("LineAdded", line(chance)),
        5 => ("LineRemoved", format!("{{\"sku\":\"SKU-{}\"}}", chance.pick(500))),
        6 => {
            let percent = chance.pick(30);
            ("DiscountApplied", format!("{{\"percent\":{percent},\"code\":\"D{}\"}}", chance.pick(100)))
        }
        7 => ("NoteAdded", "{\"text\":\"please ring twice\",\"by\":\"customer\"}".to_owned()),
        8 => {
            let cents = 100_000 + chance.pick(100_000);
            ("OrderPaid", format!("{{\"cents\":{cents},\"method\":\"card\"}}"))
        }
        _ => {
            let carrier = ["post", "van", "bike"].get(chance.pick(3) as usize).copied().unwrap_or_default();
            ("OrderShipped", format!("{{\"carrier\":\"{carrier}\",\"parcels\":{}}}", 1 + chance.pick(3)))
        }
    }
}

fn line(chance: &mut Chance) -> String {
    let (sku, quantity, price) = (chance.pick(500), 1 + chance.pick(5), 100 + chance.pick(9900));
    format!("{{\"sku\":\"SKU-{sku}\",\"quantity\":{quantity},\"price\":{price}}}")
}

/// Everything before the data; events are a quarter of a second apart.
fn head(event_type: &str, stream: &str, number: usize, index: usize) -> String {
    let millis = index * 250;
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let (day, hour, minute) = (1 + seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!(
        "{{\"eventType\":\"{event_type}\",\"streamId\":\"{stream}\",\"sequenceNumber\":{number},\"isJson\":true,\
         \"eventId\":\"00000000-0000-4000-8000-{index:012}\",\
         \"created\":\"2026-01-{day:02}T{hour:02}:{minute:02}:{:02}.{rest:03}Z\"",
        seconds % 60
    )
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 16);
    quoted.push('"');
    for letter in text.chars() {
        if letter == '"' {
            quoted.push('\\');
        }
        // Writing to a string cannot fail.
        write!(quoted, "{letter}").ok();
    }
    quoted.push('"');
    quoted
}

/// The generator of the peer's benchmark: a linear congruence with the constants of Numerical Recipes.
pub(crate) struct Chance(u32);

impl Chance {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed)
    }

    pub(crate) fn pick(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((u64::from(self.0) * u64::from(below)) >> 32) as u32
    }
}
