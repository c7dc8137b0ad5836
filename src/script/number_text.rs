//! How numbers are written: as JavaScript does, and as .NET does where its text is part of a contract.

use std::fmt::Write as _;

/// The text of a number as `String(x)` gives it, but `-0` for negative zero, so that a stored state
/// keeps it.
pub(crate) fn script_number(value: f64) -> String {
    match Parts::of(value) {
        Err(special) => special.to_owned(),
        Ok(parts) => parts.write(-7, 21, |exponent| format!("e{exponent:+}")),
    }
}

/// The text of a number as .NET writes it: like JavaScript below 1e17, then `1E+17`; below 1e-4 `1E-05`.
pub(crate) fn dotnet_number(value: f64) -> String {
    match Parts::of(value) {
        Err(special) => special.to_owned(),
        Ok(parts) => parts.write(-5, 17, |exponent| {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("E{sign}{:02}", exponent.unsigned_abs())
        }),
    }
}

/// The shortest digits that name a number, and the power of ten of the first of them.
struct Parts {
    is_negative: bool,
    digits: String,
    exponent: i32,
}

impl Parts {
    fn of(value: f64) -> Result<Self, &'static str> {
        if value.is_nan() {
            return Err("NaN");
        }
        if value.is_infinite() {
            return Err(if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
        if value == 0.0 {
            return Err(if value.is_sign_negative() { "-0" } else { "0" });
        }
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        Ok(Self {
            is_negative: value < 0.0,
            digits: mantissa.chars().filter(char::is_ascii_digit).collect(),
            exponent: exponent.parse().unwrap_or(0),
        })
    }

    /// Plain if the first digit's power lies above `low` and below `high`, else with an exponent.
    fn write(&self, low: i32, high: i32, exponent: impl Fn(i32) -> String) -> String {
        let mut text = String::new();
        if self.is_negative {
            text.push('-');
        }
        let count = self.digits.len() as i32;
        let (first, others) = self.digits.split_at_checked(1).unwrap_or((&self.digits, ""));
        if self.exponent <= low || self.exponent >= high {
            text.push_str(first);
            if !others.is_empty() {
                // Writing to a string cannot fail, here and below.
                write!(text, ".{others}").ok();
            }
            text.push_str(&exponent(self.exponent));
        } else if self.exponent < 0 {
            let zeros = (-self.exponent - 1) as usize;
            write!(text, "0.{}{}", "0".repeat(zeros), self.digits).ok();
        } else if self.exponent + 1 >= count {
            let zeros = (self.exponent + 1 - count) as usize;
            write!(text, "{}{}", self.digits, "0".repeat(zeros)).ok();
        } else {
            let point = (self.exponent + 1) as usize;
            let (whole, fraction) = self.digits.split_at_checked(point).unwrap_or((&self.digits, ""));
            write!(text, "{whole}.{fraction}").ok();
        }
        text
    }
}

/// The number that a few digits spell: most numbers are such.
pub(crate) fn small_number(text: &str) -> Option<i32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.bytes().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number * 10 + i32::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{dotnet_number, script_number};

    fn check(value: f64, script: &str, dotnet: &str) {
        assert_eq!((&*script_number(value), &*dotnet_number(value)), (script, dotnet));
    }

    #[test]
    fn both_ways_of_writing() {
        check(0.0, "0", "0");
        check(-0.0, "-0", "-0");
        check(1.5, "1.5", "1.5");
        check(-1200.0, "-1200", "-1200");
        check(0.1 + 0.2, "0.30000000000000004", "0.30000000000000004");
        check(1e21, "1e+21", "1E+21");
        check(123456789012345680000.0, "123456789012345680000", "1.2345678901234568E+20");
        check(1e-7, "1e-7", "1E-07");
        check(0.00001, "0.00001", "1E-05");
        check(0.0001, "0.0001", "0.0001");
        check(1e16, "10000000000000000", "10000000000000000");
        check(1e17, "100000000000000000", "1E+17");
        check(9007199254740991.0, "9007199254740991", "9007199254740991");
        check(f64::NAN, "NaN", "NaN");
        check(f64::NEG_INFINITY, "-Infinity", "-Infinity");
    }
}
