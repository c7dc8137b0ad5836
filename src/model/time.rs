//! Points in time, with the precision in which they were stored.

use chrono::{DateTime, Datelike as _, Local, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone as _, Utc};

/// A point in time, UTC, in the years 1678 to 2261.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    nanos: i64,
    /// Digits after the second that the store holds: 0 for whole seconds, 6 for microseconds.
    digits: u8,
}

/// The day of the time that was read last. Events that follow each other mostly share it, and then only the
/// clock is read.
#[derive(Debug, Clone, Copy)]
pub struct LastDay {
    /// As the text spells it, `2024-03-01`.
    text: [u8; DATE],
    /// When it began, in seconds since 1970.
    start: i64,
}

/// Characters of a date.
const DATE: usize = 10;

/// Powers of ten.
const TENS: [i64; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

impl Default for LastDay {
    fn default() -> Self {
        Self { text: *b"1970-01-01", start: 0 }
    }
}

/// In which zone times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Zone {
    /// Universal time.
    #[default]
    Utc,
    /// The zone of this machine.
    Local,
}

impl Timestamp {
    /// A time of so many nanoseconds since 1970, stored with `digits` digits after the second.
    #[must_use]
    pub fn from_nanos(nanos: i64, digits: u8) -> Self {
        Self { nanos, digits: digits.min(9) }
    }

    /// Nanoseconds since 1970, UTC.
    #[must_use]
    pub fn nanos(self) -> i64 {
        self.nanos
    }

    /// Digits after the second that the store holds.
    #[must_use]
    pub fn digits(self) -> u8 {
        self.digits
    }

    /// A count since 1970 in units of `10^-unit_digits` seconds: 0 seconds, 3 milliseconds and so on.
    #[must_use]
    pub fn from_epoch(count: i64, unit_digits: u8) -> Option<Self> {
        let scale = 10_i64.checked_pow(9_u32.checked_sub(u32::from(unit_digits))?)?;
        Some(Self { nanos: count.checked_mul(scale)?, digits: unit_digits })
    }

    /// Days since noon of 24 November −4713, as SQLite's `julianday` counts them.
    #[must_use]
    pub fn from_julian_day(days: f64) -> Option<Self> {
        let millis = ((days - 2_440_587.5) * 86_400_000.0).round();
        (millis.abs() < 9.2e12).then_some(millis as i64).and_then(|millis| Self::from_epoch(millis, 3))
    }

    /// Reads ISO 8601 as databases write it: `2024-03-01T09:51:00.2Z`, `2024-03-01 09:51:00+00`,
    /// `2024-03-01 09:51`, `2024-03-01`. A text without an offset is taken as UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// The same, of bytes that may be no text.
    #[must_use]
    pub fn parse_bytes(text: &[u8]) -> Option<Self> {
        Self::parse_after(text, &mut LastDay::default())
    }

    /// The same, quicker where the time before was of the same day.
    #[must_use]
    pub fn parse_after(text: &[u8], last: &mut LastDay) -> Option<Self> {
        Self::parse_common(text, last).or_else(|| Self::parse_rare(std::str::from_utf8(text).ok()?))
    }

    fn parse_rare(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = text.split_at_checked(10)?;
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        if rest.is_empty() {
            return Self::from_parts(date.and_hms_opt(0, 0, 0)?, 0, 0, 0);
        }
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
        let (clock, zone) = rest.split_at_checked(zone_at)?;
        let offset = parse_offset(zone.trim())?;
        let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
        let mut fields =
            clock.split(':').map(|field| if field.len() == 2 { field.parse::<u32>().ok() } else { None });
        let (hour, minute) = (fields.next()??, fields.next()??);
        let second = fields.next().unwrap_or(Some(0))?;
        if fields.next().is_some() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        // A leap second is shown as the last nanosecond's second; no store counts with it.
        let time = date.and_hms_opt(hour, minute, second.min(59))?;
        let digits = fraction.len().min(9);
        let nanos = format!("{:0<9}", fraction.get(..digits)?).parse::<i64>().ok()?;
        Self::from_parts(time, nanos, offset, u8::try_from(digits).ok()?)
    }

    /// Reads the spellings that fill whole columns, `2024-03-01T09:51:00.211940Z` with any number of
    /// digits up to nine, a blank for the `T`, and no zone or `+00:00`. A scan does this for every
    /// event; what it does not take is left to `parse_rare`.
    #[inline]
    fn parse_common(text: &[u8], last: &mut LastDay) -> Option<Self> {
        let (date, rest) = text.split_first_chunk::<DATE>()?;
        let ([b'T' | b' ', clock @ ..], rest) = rest.split_first_chunk::<9>()? else { return None };
        if last.text != *date {
            *last = LastDay { text: *date, start: day_start(date)? };
        }
        let seconds = last.start + seconds_of(u64::from_le_bytes(*clock))?;
        let (mut nanos, mut digits, mut zone) = (0_i64, 0, rest);
        if let Some(fraction) = rest.strip_prefix(b".") {
            while let Some(value) = fraction.get(digits).and_then(|byte| digit(*byte)) {
                nanos = nanos * 10 + value;
                digits += 1;
                if digits > 9 {
                    return None;
                }
            }
            nanos *= TENS.get(9 - digits)?;
            zone = fraction.get(digits..)?;
        }
        if !matches!(zone, b"" | b"Z" | b"+00" | b"+00:00") {
            return None;
        }
        let digits = digits as u8;
        Some(Self { nanos: seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?, digits })
    }

    fn from_parts(time: NaiveDateTime, nanos: i64, offset_seconds: i64, digits: u8) -> Option<Self> {
        let seconds = time.and_utc().timestamp().checked_sub(offset_seconds)?;
        Some(Self { nanos: seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?, digits })
    }

    /// RFC 3339 in UTC with the stored precision: `2024-03-01T09:51:00.211Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let text = self.utc().to_rfc3339_opts(SecondsFormat::Nanos, true);
        let (whole, fraction) = text.trim_end_matches('Z').split_once('.').unwrap_or((&text, ""));
        match fraction.get(..usize::from(self.digits)) {
            Some(digits) if !digits.is_empty() => format!("{whole}.{digits}Z"),
            _ => format!("{whole}Z"),
        }
    }

    /// Appends what [`Self::to_rfc3339`] says, without a detour over the calendar: a rebuild does this for every
    /// event.
    pub fn write_rfc3339(self, text: &mut String) {
        let (seconds, nanos) = (self.nanos.div_euclid(1_000_000_000), self.nanos.rem_euclid(1_000_000_000));
        let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        push_digits(text, year, 4);
        for (mark, value) in
            [('-', month), ('-', day), ('T', clock / 3600), (':', clock / 60 % 60), (':', clock % 60)]
        {
            text.push(mark);
            push_digits(text, value, 2);
        }
        if self.digits > 0 {
            text.push('.');
            push_digits(text, nanos / 10_i64.pow(9 - u32::from(self.digits.min(9))), u32::from(self.digits));
        }
        text.push('Z');
    }

    /// For people, in the zone they chose: `2024-03-01 09:51:00.211`.
    #[must_use]
    pub fn to_display(self, zone: Zone) -> String {
        let whole = match zone {
            Zone::Utc => self.utc().format("%Y-%m-%d %H:%M:%S").to_string(),
            Zone::Local => self.utc().with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string(),
        };
        if self.digits == 0 {
            return whole;
        }
        let fraction = format!("{:09}", self.nanos.rem_euclid(1_000_000_000));
        format!("{whole}.{}", fraction.get(..usize::from(self.digits)).unwrap_or_default())
    }

    /// The date alone, in the zone the user chose: `2024-03-01`.
    #[must_use]
    pub fn to_date(self, zone: Zone) -> String {
        match zone {
            Zone::Utc => self.utc().format("%Y-%m-%d").to_string(),
            Zone::Local => self.utc().with_timezone(&Local).format("%Y-%m-%d").to_string(),
        }
    }

    /// The last instant that a text like `2024-03-01` or `2024-03-01 09:51` can mean, so that a
    /// time given without seconds includes all of its minute, and a date all of its day.
    #[must_use]
    pub fn parse_until(text: &str, zone: Zone) -> Option<Self> {
        let start = Self::parse_in(text, zone)?;
        let text = text.trim();
        let span: i64 = match text.len() {
            10 => 86_400_000_000_000,
            16 => 60_000_000_000,
            _ => 10_i64.pow(9 - u32::from(start.digits)),
        };
        Some(Self { nanos: start.nanos.checked_add(span - 1)?, digits: 9 })
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.nanos)
    }

    /// The year, for a look at whether a reading is plausible.
    #[must_use]
    pub fn year(self) -> i32 {
        self.utc().year()
    }

    /// Reads a time in a zone: an offset in the text wins, else it is a time of `zone`.
    #[must_use]
    pub fn parse_in(text: &str, zone: Zone) -> Option<Self> {
        let parsed = Self::parse(text)?;
        let has_offset = text.get(10..).is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
        if zone == Zone::Utc || has_offset {
            return Some(parsed);
        }
        let local = Local.from_local_datetime(&parsed.utc().naive_utc()).earliest()?;
        Some(Self { nanos: local.timestamp_nanos_opt()?, digits: parsed.digits })
    }
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// Days from 1 January 1970 to a date of the years 1 to 9999; nothing for a date that never was.
///
/// Years begin in March here, so that the day that comes and goes is the last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if year < 1 || !(1..=length).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some(days - 719_468)
}

/// Year, month and day of so many days since 1970.
fn date_of(days: i64) -> (i64, i64, i64) {
    // Counted from 1 March of the year 0, in spans of 400 years.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + carry, month, day)
}

fn push_digits(text: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = (value / 10_i64.pow(place)) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

/// When a day began that is spelled `2024-03-01`, in seconds since 1970.
fn day_start(text: &[u8; DATE]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *text else { return None };
    let two = |tens: u8, ones: u8| Some(digit(tens)? * 10 + digit(ones)?);
    Some(days_since_1970(two(y0, y1)? * 100 + two(y2, y3)?, two(m0, m1)?, two(d0, d1)?)? * 86_400)
}

/// The second of the day of a clock that is spelled `09:51:00`, its first character lowest. All eight characters
/// are looked at in one go: a scan does this for every event.
#[inline]
fn seconds_of(clock: u64) -> Option<i64> {
    const ZEROS: u64 = u64::from_le_bytes(*b"00:00:00");
    // What is added to a digit above nine reaches its highest bit.
    const ABOVE: u64 = u64::from_le_bytes([0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f, 0x76, 0x76]);
    const HIGHEST: u64 = 0x8080_8080_8080_8080;
    let digits = clock ^ ZEROS;
    if (digits | ((digits & !HIGHEST) + ABOVE)) & HIGHEST != 0 {
        return None;
    }
    let two = |place: u32| {
        let pair = digits >> (8 * place);
        ((pair & 0xff) * 10 + ((pair >> 8) & 0xff)) as i64
    };
    let (hour, minute, second) = (two(0), two(3), two(6));
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
}

/// `Z`, nothing, `+00`, `+0530` or `+05:30`, in seconds.
fn parse_offset(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4 | 6) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part =
        |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |part| part.parse::<i64>().ok());
    Some(sign * (part(0..2)? * 3600 + part(2..4)? * 60 + part(4..6)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = Timestamp::parse(text).map_or_else(|| "none".to_owned(), Timestamp::to_rfc3339);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn times_keep_their_precision() {
        check("2024-03-01T09:51:00.211940Z", "2024-03-01T09:51:00.211940Z");
        check("2024-03-01T09:51:00.211940+00:00", "2024-03-01T09:51:00.211940Z");
        check("2024-01-20 04:07:08.512347+00", "2024-01-20T04:07:08.512347Z");
        check("2023-12-22 20:21:00", "2023-12-22T20:21:00Z");
        check("2024-03-01T12:00:00.5+05:30", "2024-03-01T06:30:00.5Z");
        check("2024-03-01", "2024-03-01T00:00:00Z");
        check("1969-12-31T23:59:59.250Z", "1969-12-31T23:59:59.250Z");
        check("2024-02-30", "none");
        check("yesterday", "none");
        check("2024-03-01T9:51", "none");
        check("9999-01-01", "none");
    }

    #[test]
    fn the_day_before_changes_nothing() {
        let texts = [
            "1970-01-01T00:00:07Z",
            "2024-03-01T09:51:00.211940Z",
            "2024-03-01T09:51:59Z",
            "2024-03-01T09:51:61Z",
            "2024-03-01T09:51",
            "2024-03-01 09:51:07",
            "2024-03-01T09:51:08+01:00",
            "2024-03-01T09:52:00.5Z",
            "2024-03-41T09:52:00.5Z",
            "2024-03-01T24:00:00Z",
            "2024-03-01T23:60:00Z",
            "2024-03-01T09-52:00Z",
            "2024-03-01T0:952:00Z",
            "2024-03-01T09:5x:00Z",
            "2024-03-01T09:5\u{e9}:0Z",
            "2024-03-01T09:52:01Z",
        ];
        let mut last = LastDay::default();
        for text in texts.iter().chain(texts.iter().rev()) {
            let alone = Timestamp::parse(text);
            assert_eq!(Timestamp::parse_after(text.as_bytes(), &mut last), alone, "{text}");
        }
        assert_eq!(Timestamp::parse_after(&[0; 19], &mut LastDay::default()), None);
    }

    /// The short way of reading a time against the calendar's own.
    #[test]
    fn common_spellings_are_read_as_the_calendar_reads_them() {
        for day in 0..220_000_u64 {
            let Some(date) = NaiveDate::from_ymd_opt(1670, 1, 1)
                .and_then(|first| first.checked_add_days(chrono::Days::new(day)))
            else {
                continue;
            };
            let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
            let expected = date.and_hms_opt(0, 0, 0).map(|time| time.and_utc().timestamp() / 86_400);
            assert_eq!(days_since_1970(year, month, day), expected, "{date}");
        }
        for text in
            ["2023-02-29 00:00:00", "2023-04-31 00:00:00", "2023-13-01 00:00:00", "0000-01-01 00:00:00"]
        {
            assert_eq!(Timestamp::parse_common(text.as_bytes(), &mut LastDay::default()), None, "{text}");
        }
        for text in ["2024-02-29 23:59:59", "2024-02-29T23:59:59.5Z", "1969-12-31T23:59:59.250000+00:00"] {
            assert!(Timestamp::parse_common(text.as_bytes(), &mut LastDay::default()).is_some(), "{text}");
            // A blank in front is more than the short way takes.
            assert_eq!(Timestamp::parse(text), Timestamp::parse(&format!(" {text}")), "{text}");
        }
    }

    #[test]
    fn both_ways_of_writing_say_the_same() {
        for step in -3_000..3_000_i64 {
            let time = Timestamp::from_nanos(step * 3_000_000_123_456_789, (step.rem_euclid(10)) as u8);
            let mut text = String::new();
            time.write_rfc3339(&mut text);
            assert_eq!(text, time.to_rfc3339());
        }
    }

    #[test]
    fn epochs_know_their_unit() {
        let show = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339).unwrap_or_default();
        assert_eq!(show(Timestamp::from_epoch(1_709_286_660, 0)), "2024-03-01T09:51:00Z");
        assert_eq!(show(Timestamp::from_epoch(1_709_286_660_211, 3)), "2024-03-01T09:51:00.211Z");
        assert_eq!(show(Timestamp::from_epoch(i64::MAX, 0)), "");
        assert_eq!(show(Timestamp::from_julian_day(2_460_370.910_416_667)), "2024-03-01T09:51:00.000Z");
    }

    #[test]
    fn a_day_given_as_an_end_includes_all_of_it() {
        let end = Timestamp::parse_until("2024-03-01", Zone::Utc).map(Timestamp::to_rfc3339);
        assert_eq!(end.as_deref(), Some("2024-03-01T23:59:59.999999999Z"));
        let end = Timestamp::parse_until("2024-03-01T09:51:00.2Z", Zone::Local).map(Timestamp::to_rfc3339);
        assert_eq!(end.as_deref(), Some("2024-03-01T09:51:00.299999999Z"));
        let nanos = |time: Option<Timestamp>| time.unwrap().nanos();
        let start = nanos(Timestamp::parse_in("2024-03-01 09:51", Zone::Local));
        let end = nanos(Timestamp::parse_until("2024-03-01 09:51", Zone::Local));
        assert_eq!(end - start, 59_999_999_999, "both are times of the same zone");
    }
}
