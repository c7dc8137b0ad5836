//! Single values as the columns of a table hold them: text, ids in bytes, times.

use crate::{
    model::{Stored, Timestamp},
    store::layout::Form,
};

/// A text.
pub(super) fn text(value: &str) -> Stored {
    Stored::Text(value.as_bytes().into())
}

/// The 16 bytes of a UUID; of a GUID with its first three fields turned round.
pub(super) fn uuid_bytes(text: &str, is_guid: bool) -> Option<Vec<u8>> {
    const TURNED: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .filter_map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect();
    if digits.len() != 32 {
        return None;
    }
    Some(if is_guid { TURNED.iter().filter_map(|at| bytes.get(*at).copied()).collect() } else { bytes })
}

/// A time in the form of the column, text in the manner of what stands there.
pub(super) fn time_value(form: Form, written: Option<&Stored>, time: Timestamp) -> Option<Stored> {
    let nanos = time.nanos();
    let count = |unit: i64| match written {
        Some(Stored::Real(_)) => Stored::Real(nanos as f64 / unit as f64),
        _ => Stored::Integer(nanos.div_euclid(unit)),
    };
    Some(match form {
        Form::Plain | Form::Iso => text(&time_text(written, time)),
        Form::EpochSeconds => count(1_000_000_000),
        Form::EpochMillis => count(1_000_000),
        Form::EpochMicros => count(1000),
        Form::EpochNanos => count(1),
        Form::JulianDay => Stored::Real(nanos as f64 / 86_400e9 + 2_440_587.5),
        Form::UuidV7 | Form::Ulid | Form::UuidBytes | Form::GuidBytes => return None,
    })
}

fn time_text(written: Option<&Stored>, time: Timestamp) -> String {
    let ours = time.to_rfc3339();
    let pattern = match written {
        Some(Stored::Text(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => return ours,
    };
    let bare = ours.trim_end_matches('Z');
    let bare = if pattern.contains('T') { bare.to_owned() } else { bare.replacen('T', " ", 1) };
    let zone = ["Z", "+00:00", "+00"].into_iter().find(|zone| pattern.ends_with(zone)).unwrap_or_default();
    format!("{bare}{zone}")
}

#[cfg(test)]
mod tests {
    use super::{Form, Stored, time_value, uuid_bytes};
    use crate::model::Timestamp;

    #[test]
    fn times_are_written_as_those_beside_them() {
        let time = Timestamp::parse("2024-01-02T03:04:05.678Z").unwrap();
        let check = |form, written: Option<&str>, expected: Stored| {
            let written = written.map(|text| Stored::Text(text.as_bytes().into()));
            assert_eq!(time_value(form, written.as_ref(), time), Some(expected));
        };
        let text = |text: &str| Stored::Text(text.as_bytes().into());
        check(Form::Iso, None, text("2024-01-02T03:04:05.678Z"));
        check(Form::Iso, Some("2023-01-01 00:00:00"), text("2024-01-02 03:04:05.678"));
        check(Form::Iso, Some("2023-01-01T00:00:00+00:00"), text("2024-01-02T03:04:05.678+00:00"));
        check(Form::EpochMillis, None, Stored::Integer(1_704_164_645_678));
        check(Form::EpochSeconds, None, Stored::Integer(1_704_164_645));
        assert_eq!(time_value(Form::Ulid, None, time), None);
    }

    #[test]
    fn ids_become_bytes() {
        let bytes = uuid_bytes("00112233-4455-6677-8899-aabbccddeeff", false).unwrap();
        assert_eq!(bytes[..4], [0, 0x11, 0x22, 0x33]);
        assert_eq!(uuid_bytes("00112233445566778899aabbccddeeff", true).unwrap()[..4], [0x33, 0x22, 0x11, 0]);
        assert_eq!(uuid_bytes("order-1", false), None);
    }
}
