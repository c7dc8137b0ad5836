//! What loading costs, in words and as JSON.

use crate::{
    model::Json,
    snapshot::{Cost, CostLine, Loads},
    store::index::Index,
};

impl Loads {
    fn to_json(self) -> Json {
        Json::object([
            ("median", Json::from(self.median)),
            ("p95", Json::from(self.p95)),
            ("max", Json::from(self.most)),
            ("total", Json::from(self.total)),
        ])
    }
}

impl CostLine {
    /// What to do about the interval, as a sentence without full stop.
    #[must_use]
    pub fn words(&self) -> String {
        let events = |count: usize| if count == 1 { "1 event".to_owned() } else { format!("{count} events") };
        let Some(every) = self.advised else {
            return format!(
                "Snapshots save little here: 95 % of loads take at most {} even without",
                events(self.without.p95)
            );
        };
        let would = self.intervals.iter().find(|interval| interval.every == every);
        let would = would.map(|interval| interval.loads.p95).unwrap_or_default();
        if self.with.p95 <= every {
            return format!("As it should be: 95 % of loads take at most {}", events(self.with.p95));
        }
        format!(
            "A snapshot every {every} events keeps 95 % of loads at {} or fewer; now it is {}",
            events(would),
            events(self.with.p95)
        )
    }

    /// In the shape of `timeglass snapshots --cost --json`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let intervals = self.intervals.iter().map(|interval| {
            Json::object([
                ("every", Json::from(interval.every)),
                ("loads", interval.loads.to_json()),
                ("snapshots", Json::from(interval.snapshots)),
            ])
        });
        let spread = self.spread.iter().map(|(most, streams)| {
            let most = (*most != usize::MAX).then_some(*most);
            Json::object([("up_to", Json::from(most)), ("streams", Json::from(*streams))])
        });
        Json::object([
            ("category", Json::from(self.category.clone())),
            ("streams", Json::from(self.streams)),
            ("events", Json::from(self.events)),
            ("snapshots", Json::from(self.snapshots)),
            ("streams_with_snapshot", Json::from(self.covered)),
            ("interval", Json::from(self.interval)),
            ("with_snapshots", self.with.to_json()),
            ("without_snapshots", self.without.to_json()),
            ("bytes_with_snapshots", Json::from(self.bytes_with)),
            ("bytes_without_snapshots", Json::from(self.bytes_without)),
            ("snapshot_bytes", Json::from(self.snapshot_bytes)),
            ("spread", Json::array(spread)),
            ("intervals", Json::array(intervals)),
            ("advised_interval", Json::from(self.advised)),
            ("advice", Json::from(self.words())),
        ])
    }
}

impl Cost {
    /// In the shape of `timeglass snapshots --cost --json`.
    #[must_use]
    pub fn to_json(&self, index: &Index) -> Json {
        let longest = self.longest.iter().map(|(stream, rest, events)| {
            Json::object([
                ("stream", Json::from(index.stream(*stream).map(|info| info.name.full()))),
                ("to_replay", Json::from(*rest)),
                ("events", Json::from(*events)),
            ])
        });
        Json::object([
            ("whole", self.whole.to_json()),
            ("categories", Json::array(self.categories.iter().map(CostLine::to_json))),
            ("longest", Json::array(longest)),
        ])
    }
}
