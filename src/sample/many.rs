//! Very many streams, a few of them large and most of them small: devices that report readings.

use crate::sample::{
    calendar::{Calendar, START},
    doc::{Doc, push_digits, push_hex},
    draft::{Chain, Draft, Pen, Subject, Telling, Thread},
    rng::Rng,
    words::{PLACES, ROOMS},
    write::Story,
};

const FIRST_DEVICE: u64 = 100_001;
/// Added to every rank: without it the first stream would have a twelfth of all events.
const HEAD: u64 = 40;

/// A fleet of devices.
pub(crate) struct Many {
    pen: Pen,
    rng: Rng,
    calendar: Calendar,
    /// For each stream, how much weight it and those before it have; Zipf's law, flat at the head.
    weights: Vec<u64>,
    devices: Vec<Device>,
}

#[derive(Debug)]
struct Device {
    thread: Thread,
    town: &'static str,
    room: &'static str,
    firmware: i64,
    readings: i64,
    reading: Option<Reading>,
    battery_percent: i64,
    /// Each report follows from the one before.
    chain: Chain,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    temperature: i64,
    humidity: i64,
    pressure: i64,
    co2_ppm: i64,
    light_lux: i64,
    noise_db: i64,
    signal_dbm: i64,
    gateway: u64,
    number: u64,
    /// A little before it was recorded.
    taken_at: i64,
    is_ok: bool,
}

impl Many {
    /// So many events over so many streams.
    pub(crate) fn new(telling: Telling, streams: u64) -> Self {
        let mut rng = Rng::new(telling.seed, 4);
        let mut sum = 0;
        let weights = (1..=streams.max(1)).map(|rank| {
            sum += (1 << 40) / (rank + HEAD);
            sum
        });
        Self {
            weights: weights.collect(),
            pen: Pen::new(rng.next(), telling),
            rng,
            calendar: Calendar::new(telling, 1),
            devices: Vec::new(),
        }
    }

    /// How many devices there should be by now: all of them after nine tenths of the story.
    fn wanted(&self) -> usize {
        let told = u128::from(self.pen.written() + 1) * 10;
        let streams = self.weights.len() as u128;
        (streams * told / (u128::from(self.pen.limit()) * 9).max(1)).min(streams) as usize
    }

    fn install(&mut self, time: i64, draft: &mut Draft) {
        let rng = &mut self.rng;
        let mut device = Device {
            thread: Thread::new("device", FIRST_DEVICE + self.devices.len() as u64),
            town: rng.pick(PLACES).1,
            room: rng.pick(ROOMS),
            firmware: rng.between(100, 140),
            readings: 0,
            reading: None,
            battery_percent: 100,
            chain: Chain::default(),
        };
        self.pen.begin(draft, &mut device.thread, "DeviceInstalled", time);
        device.write_state(&mut draft.data);
        let mut chain = device.chain;
        self.pen.end(draft, &mut chain, "technician", &device);
        device.chain = chain;
        self.devices.push(device);
    }

    fn report(&mut self, time: i64, draft: &mut Draft) -> bool {
        let most = self.weights.get(self.devices.len() - 1).copied().unwrap_or(1);
        let point = self.rng.below(most);
        let index = self.weights.partition_point(|weight| *weight <= point);
        let Some(device) = self.devices.get_mut(index) else { return false };
        device.report(&mut self.pen, draft, time, &mut self.rng);
        let mut chain = device.chain;
        self.pen.end(draft, &mut chain, "gateway", device);
        device.chain = chain;
        true
    }
}

impl Story for Many {
    fn tell(&mut self, draft: &mut Draft) -> bool {
        if self.pen.is_done() {
            return false;
        }
        let now = if self.pen.written() == 0 { START } else { self.pen.now() };
        let time = self.calendar.next(now, &mut self.rng);
        if self.devices.is_empty() || self.devices.len() < self.wanted() {
            self.install(time, draft);
            return true;
        }
        self.report(time, draft)
    }
}

impl Device {
    fn report(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, rng: &mut Rng) {
        match rng.below(100) {
            0 => {
                self.firmware += 1;
                pen.begin(draft, &mut self.thread, "FirmwareUpdated", time);
                self.write_firmware(&mut draft.data);
            }
            1 => {
                self.room = rng.pick(ROOMS);
                pen.begin(draft, &mut self.thread, "DeviceMoved", time);
                draft.data.object("location", |doc| {
                    doc.text("room", self.room);
                });
            }
            2..6 => {
                self.battery_percent = if self.battery_percent < 20 { 100 } else { self.battery_percent - 7 };
                pen.begin(draft, &mut self.thread, "BatteryChecked", time);
                draft.data.number("battery_percent", self.battery_percent);
            }
            _ => {
                let reading = Reading {
                    temperature: rng.between(-2_000, 4_500),
                    humidity: rng.between(1_000, 10_000),
                    pressure: rng.between(96_000, 104_000),
                    co2_ppm: rng.between(380, 2_400),
                    light_lux: rng.between(0, 900_000),
                    noise_db: rng.between(2_000, 9_500),
                    signal_dbm: rng.between(-110, -40),
                    gateway: rng.between(1, 40) as u64,
                    number: rng.next(),
                    taken_at: time - rng.between(200, 9_000) * 1000,
                    is_ok: rng.below(50) > 0,
                };
                self.readings += 1;
                self.reading = Some(reading);
                pen.begin(draft, &mut self.thread, "ReadingTaken", time);
                draft.data.number("readings", self.readings);
                reading.write(&mut draft.data);
            }
        }
    }

    fn write_firmware(&self, doc: &mut Doc) {
        doc.text_with("firmware", |out| {
            push_digits(out, self.firmware as u64 / 100, 1);
            out.push('.');
            push_digits(out, self.firmware as u64 % 100, 2);
        });
    }
}

impl Reading {
    fn write(&self, doc: &mut Doc) {
        doc.object("reading", |doc| {
            doc.hundredths("temperature_c", self.temperature).hundredths("humidity_percent", self.humidity);
            doc.hundredths("pressure_hpa", self.pressure);
            doc.number("co2_ppm", self.co2_ppm).hundredths("light_lux", self.light_lux);
            doc.hundredths("noise_db", self.noise_db).number("signal_dbm", self.signal_dbm);
            doc.reference("gateway", "gateway", self.gateway).time("taken_at", self.taken_at);
            doc.text_with("measurement", |out| push_hex(out, self.number, 16));
            doc.text("quality", if self.is_ok { "ok" } else { "doubtful" });
        });
    }
}

impl Subject for Device {
    fn write_state(&self, doc: &mut Doc) {
        doc.text("model", "climate-2").object("location", |doc| {
            doc.text("town", self.town).text("room", self.room);
        });
        self.write_firmware(doc);
        doc.number("battery_percent", self.battery_percent).number("readings", self.readings);
        if let Some(reading) = self.reading {
            reading.write(doc);
        }
    }
}
