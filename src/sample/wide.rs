//! Wide payloads: documents of many nested sections, of which each event replaces a few.

use crate::sample::{
    calendar::{Calendar, START},
    doc::Doc,
    draft::{Chain, Draft, Pen, Subject, Telling, Thread},
    rng::Rng,
    words::{NOTES, PEOPLE, PLACES, ROOMS},
    write::Story,
};

const FIRST_DOCUMENT: u64 = 301;

const SECTIONS: &[&str] = &[
    "heating",
    "cooling",
    "lighting",
    "access",
    "alarms",
    "energy",
    "water",
    "ventilation",
    "elevators",
    "cleaning",
    "parking",
    "network",
];

const FIELDS: &[&str] = &[
    "target",
    "lower_limit",
    "upper_limit",
    "step",
    "delay_seconds",
    "priority",
    "retries",
    "weight",
    "offset",
    "window_minutes",
    "budget_cents",
    "last_service",
    "next_service",
    "threshold",
    "rate",
    "capacity",
];

/// Together with sections and fields that makes a state of about 37 kB.
const FLOORS: &[&str] = &["basement", "ground", "first", "second", "third", "fourth", "fifth", "roof"];

/// Building configurations.
pub(crate) struct Wide {
    pen: Pen,
    rng: Rng,
    calendar: Calendar,
    most: usize,
    documents: Vec<Document>,
}

#[derive(Debug)]
struct Document {
    thread: Thread,
    town: &'static str,
    editor: &'static str,
    /// One for each of [`FLOORS`], with a section for each of [`SECTIONS`].
    floors: Vec<Vec<Section>>,
}

#[derive(Debug)]
struct Section {
    name: &'static str,
    room: &'static str,
    note: Option<&'static str>,
    /// One for each of [`FIELDS`]; `None` is a value that was taken away.
    values: Vec<Option<i64>>,
}

impl Wide {
    /// So many events over a few documents.
    pub(crate) fn new(telling: Telling) -> Self {
        let mut rng = Rng::new(telling.seed, 5);
        Self {
            pen: Pen::new(rng.next(), telling),
            rng,
            calendar: Calendar::new(telling, 1),
            most: (telling.events / 150).clamp(2, 5_000) as usize,
            documents: Vec::new(),
        }
    }
}

impl Story for Wide {
    fn tell(&mut self, draft: &mut Draft) -> bool {
        if self.pen.is_done() {
            return false;
        }
        let now = if self.pen.written() == 0 { START } else { self.pen.now() };
        let time = self.calendar.next(now, &mut self.rng);
        let mut chain = Chain::default();
        if self.documents.is_empty() || (self.documents.len() < self.most && self.rng.below(40) == 0) {
            let number = FIRST_DOCUMENT + self.documents.len() as u64;
            let mut document = Document::new(number, &mut self.rng);
            self.pen.begin(draft, &mut document.thread, "BuildingConfigured", time);
            document.write_state(&mut draft.data);
            self.pen.end(draft, &mut chain, "import", &document);
            self.documents.push(document);
            return true;
        }
        let index = self.rng.index(self.documents.len());
        let Some(document) = self.documents.get_mut(index) else { return false };
        document.change(&mut self.pen, draft, time, &mut self.rng);
        self.pen.end(draft, &mut chain, document.editor, document);
        true
    }
}

impl Document {
    fn new(number: u64, rng: &mut Rng) -> Self {
        let mut floor = || SECTIONS.iter().map(|name| Section::new(name, rng)).collect();
        let floors = FLOORS.iter().map(|_| floor()).collect();
        Self {
            thread: Thread::new("building", number),
            town: rng.pick(PLACES).1,
            editor: rng.pick(PEOPLE).1,
            floors,
        }
    }

    /// Changes two to five sections, or clears fields of one.
    fn change(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, rng: &mut Rng) {
        self.editor = rng.pick(PEOPLE).1;
        let (floor, first) = (rng.index(FLOORS.len()), rng.index(SECTIONS.len()));
        let count = if rng.chance(15) { 1 } else { rng.between(2, 5) as usize };
        let event_type = if count == 1 { "FieldsCleared" } else { "SectionsChanged" };
        pen.begin(draft, &mut self.thread, event_type, time);
        draft.data.text("editor", self.editor);
        let Some((name, sections)) = FLOORS.iter().zip(&mut self.floors).nth(floor) else { return };
        draft.data.object("floors", |doc| {
            doc.object(name, |doc| {
                for section in sections.iter_mut().skip(first).take(count) {
                    if count == 1 { section.clear(doc, rng) } else { section.change(doc, rng) }
                }
            });
        });
    }
}

impl Section {
    fn new(name: &'static str, rng: &mut Rng) -> Self {
        Self {
            name,
            room: rng.pick(ROOMS),
            note: None,
            values: FIELDS.iter().map(|_| Some(rng.between(-50_000, 500_000))).collect(),
        }
    }

    fn change(&mut self, doc: &mut Doc, rng: &mut Rng) {
        let note = rng.pick(NOTES);
        self.note = Some(note);
        doc.object(self.name, |doc| {
            doc.text("note", note).object("values", |doc| {
                for (name, value) in FIELDS.iter().zip(&mut self.values) {
                    if rng.chance(70) {
                        let new = rng.between(-50_000, 500_000);
                        *value = Some(new);
                        doc.hundredths(name, new);
                    }
                }
            });
        });
    }

    fn clear(&mut self, doc: &mut Doc, rng: &mut Rng) {
        self.note = None;
        doc.object(self.name, |doc| {
            doc.null("note").object("values", |doc| {
                for (name, value) in FIELDS.iter().zip(&mut self.values) {
                    if rng.chance(25) {
                        *value = None;
                        doc.null(name);
                    }
                }
            });
        });
    }

    fn write(&self, doc: &mut Doc) {
        doc.object(self.name, |doc| {
            doc.text("room", self.room);
            if let Some(note) = self.note {
                doc.text("note", note);
            }
            doc.object("values", |doc| {
                for (name, value) in FIELDS.iter().zip(&self.values) {
                    if let Some(value) = value {
                        doc.hundredths(name, *value);
                    }
                }
            });
        });
    }
}

impl Subject for Document {
    fn write_state(&self, doc: &mut Doc) {
        doc.text("town", self.town).text("editor", self.editor);
        doc.object("floors", |doc| {
            for (name, sections) in FLOORS.iter().zip(&self.floors) {
                doc.object(name, |doc| sections.iter().for_each(|section| section.write(doc)));
            }
        });
    }
}
