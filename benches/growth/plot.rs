//! A plot with two logarithmic axes, as SVG: events across, milliseconds up, one line for each question.

use std::{collections::BTreeMap, fmt::Write as _};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 760.0;
/// Space for the numbers at the left and below; names stand at the right.
const LEFT: f64 = 80.0;
const TOP: f64 = 30.0;
const RIGHT: f64 = 400.0;
const BOTTOM: f64 = 60.0;
/// The least distance between two names.
const LINE: f64 = 17.0;

/// Calm colours that can be told apart, also by people who confuse red and green.
const COLOURS: [&str; 10] = [
    "#3b6ea5", "#b5651d", "#4f8a5b", "#8a5a9e", "#a8434b", "#6b7280", "#2a8c8c", "#b08d2f", "#7a6652",
    "#c06c94",
];

/// The plot.
pub(crate) fn svg(lines: &[(String, BTreeMap<u64, f64>)]) -> String {
    let scale = Scale::of(lines);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<title>What questions cost as the store grows</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fcfcfa\"/>\n"
    );
    scale.grid(&mut text);
    let mut names: Vec<(f64, usize, &str)> = Vec::new();
    for (number, (name, medians)) in lines.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            medians.iter().map(|(events, median)| (scale.x(*events as f64), scale.y(*median))).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let colour = colour(number);
        writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        )
        .ok();
        for (x, y) in &points {
            writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>").ok();
        }
        names.extend(points.last().map(|(_, y)| (*y, number, name.as_str())));
    }
    write_names(&mut text, names);
    text.push_str("</svg>\n");
    text
}

/// Names beside the ends of their lines, moved apart where they would overlap.
fn write_names(text: &mut String, mut names: Vec<(f64, usize, &str)>) {
    names.sort_by(|left, right| left.0.total_cmp(&right.0));
    let count = names.len() as f64;
    let mut lowest = TOP;
    let mut left_over = count;
    for (y, number, name) in names {
        // So that all that follow still fit above the axis.
        let latest = HEIGHT - BOTTOM - (left_over - 1.0) * LINE;
        let place = y.max(lowest).min(latest.max(lowest));
        lowest = place + LINE;
        left_over -= 1.0;
        let (from, to) = (WIDTH - RIGHT, WIDTH - RIGHT + 22.0);
        let colour = colour(number);
        writeln!(
            text,
            "<path d=\"M{:.1} {y:.1} L{to:.1} {place:.1}\" stroke=\"{colour}\" stroke-width=\"0.7\" fill=\"none\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            from + 4.0,
            to + 4.0,
            place + 4.5,
            escaped(name)
        )
        .ok();
    }
}

fn colour(number: usize) -> &'static str {
    COLOURS.get(number % COLOURS.len()).copied().unwrap_or("#444444")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// From events and milliseconds to places; both in powers of ten.
struct Scale {
    events: (f64, f64),
    times: (f64, f64),
}

impl Scale {
    fn of(lines: &[(String, BTreeMap<u64, f64>)]) -> Self {
        let all = || lines.iter().flat_map(|(_, medians)| medians);
        let log = |value: f64| value.max(1e-3).log10();
        let most = all().map(|(_, median)| log(*median)).fold(0.0, f64::max).ceil();
        let least = all().map(|(_, median)| log(*median)).fold(most, f64::min).floor();
        let sizes = all().map(|(events, _)| log(*events as f64));
        let (first, last) =
            sizes.fold((9.0_f64, 0.0_f64), |(least, most), size| (least.min(size), most.max(size)));
        Self { events: (first, last.max(first + 1.0)), times: (least, most.max(least + 1.0)) }
    }

    fn x(&self, events: f64) -> f64 {
        let part = (events.log10() - self.events.0) / (self.events.1 - self.events.0);
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, milliseconds: f64) -> f64 {
        let part = (milliseconds.max(1e-3).log10() - self.times.0) / (self.times.1 - self.times.0);
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, text: &mut String) {
        let (left, right) = (LEFT, WIDTH - RIGHT);
        for power in self.times.0 as i32..=self.times.1 as i32 {
            let (value, y) = (10_f64.powi(power), self.y(10_f64.powi(power)));
            let name = match power {
                ..0 => format!("{value} ms"),
                0..3 => format!("{value:.0} ms"),
                _ => format!("{:.0} s", value / 1000.0),
            };
            line(text, (left, y), (right, y));
            label(text, (left - 8.0, y + 4.5), "end", &name);
        }
        for power in self.events.0 as i32..=self.events.1 as i32 {
            let (events, top, bottom) = (10_u64.pow(power.max(0) as u32), TOP, HEIGHT - BOTTOM);
            let x = self.x(events as f64);
            line(text, (x, top), (x, bottom));
            label(text, (x, bottom + 20.0), "middle", &grouped(events));
        }
        label(text, (f64::midpoint(left, right), HEIGHT - 14.0), "middle", "events in the store");
    }
}

fn line(text: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    writeln!(
        text,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#dddad2\" stroke-width=\"1\"/>"
    )
    .ok();
}

fn label(text: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#55524c\">{words}</text>"
    )
    .ok();
}

/// A number with a thin space between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}
