//! One account with a long history: events of about 280 bytes, a state of about a kilobyte.

use crate::inputs::Chance;

/// Its reducer, written as the peer's dialect wants it.
pub(crate) const SOURCE: &str = include_str!("accounts.js");

/// The stream.
pub(crate) const STREAM: &str = "account-5000001";

const CHANNELS: [&str; 4] = ["branch", "mobile", "online", "machine"];
const CITIES: [&str; 4] = ["Århus", "Bremen", "Porto", "Lyon"];
const PURPOSES: [&str; 4] = ["rent and heating", "books", "groceries for the week", "theatre tickets, two"];

/// Type and data of so many events.
pub(crate) fn events(count: usize) -> Vec<(&'static str, String)> {
    let mut chance = Chance::new(7);
    (0..count).map(|index| event(&mut chance, index)).collect()
}

/// When the event with that number happened; they are a quarter of a second apart.
pub(crate) fn time(index: usize) -> String {
    let (seconds, millis) = (index / 4, index % 4 * 250);
    let (day, hour, minute) = (1 + seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("2026-01-{day:02}T{hour:02}:{minute:02}:{:02}.{millis:03}Z", seconds % 60)
}

fn event(chance: &mut Chance, index: usize) -> (&'static str, String) {
    if index == 0 {
        let data = format!(
            "{{\"owner\":{{\"name\":\"Ada Byron\",\"email\":\"ada@example.org\",\"phone\":\"+44 20 7946 0018\",\
             \"address\":{{\"street\":\"12 St James's Square\",\"city\":\"London\",\"zip\":\"SW1Y 4JH\"}}}},\
             \"balance\":2500000,\"currency\":\"EUR\",\"limits\":{}}}",
            limits(chance)
        );
        return ("AccountOpened", data);
    }
    let amount = 100 + chance.pick(90_000);
    let transaction = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{index:012x}",
        chance.pick(u32::MAX),
        chance.pick(65_536),
        chance.pick(4096),
        chance.pick(4096)
    );
    let pick = |chance: &mut Chance, names: &[&'static str; 4]| {
        names.get(chance.pick(4) as usize).copied().unwrap_or_default()
    };
    let terminal = format!(
        "{{\"id\":\"T-{:05}\",\"city\":\"{}\",\"clerk\":\"u{}\"}}",
        chance.pick(99_999),
        pick(chance, &CITIES),
        chance.pick(300)
    );
    let (channel, purpose) = (pick(chance, &CHANNELS), pick(chance, &PURPOSES));
    let tail = format!(
        "\"currency\":\"EUR\",\"purpose\":\"{purpose}\",\"terminal\":{terminal},\"batch\":{},\"is_final\":true,\
         \"signed_by\":null",
        chance.pick(100_000)
    );
    match chance.pick(100) {
        0..45 => (
            "MoneyDeposited",
            format!(
                "{{\"transaction\":\"{transaction}\",\"amount\":{amount},\"channel\":\"{channel}\",{tail}}}"
            ),
        ),
        45..80 => (
            "MoneyWithdrawn",
            format!(
                "{{\"transaction\":\"{transaction}\",\"amount\":{amount},\"fee\":{},\"channel\":\"{channel}\",{tail}}}",
                chance.pick(3) * 25
            ),
        ),
        80..97 => (
            "TransferSent",
            format!(
                "{{\"transaction\":\"{transaction}\",\"amount\":{amount},\"rate\":1.{:02},\
                 \"to\":{{\"number\":\"ACC-{:07}\",\"bank\":\"B{}\"}},{tail}}}",
                chance.pick(100),
                chance.pick(9_999_999),
                chance.pick(50)
            ),
        ),
        97..99 => (
            "ContactChanged",
            format!(
                "{{\"owner\":{{\"email\":\"ada.{index}@example.org\",\"phone\":\"+44 20 7946 {:04}\"}},{tail}}}",
                chance.pick(10_000)
            ),
        ),
        _ => ("LimitsChanged", format!("{{\"limits\":{},{tail}}}", limits(chance))),
    }
}

fn limits(chance: &mut Chance) -> String {
    format!(
        "{{\"daily\":{},\"single\":{},\"machine\":50000,\"abroad\":{}}}",
        1000 * (1 + chance.pick(500)),
        1000 * (1 + chance.pick(200)),
        1000 * (1 + chance.pick(100))
    )
}
