//! Comparing decimal numbers by their text, without rounding.

/// Whether two JSON numbers mean the same value, to the last digit.
#[must_use]
pub fn same_number(left: &str, right: &str) -> bool {
    // Whole numbers are written in one way only, but for zero.
    let is_whole = |text: &str| !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    if is_whole(left) && is_whole(right) {
        let is_zero = |text: &str| matches!(text, "0" | "-0");
        return left == right || (is_zero(left) && is_zero(right));
    }
    match (Decimal::read(left), Decimal::read(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// A decimal number as digits without leading or trailing zeros, and the power of ten behind them.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a JSON number; nothing if its exponent is beyond counting.
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let unsigned = mantissa.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{fraction}");
        let kept = all.trim_end_matches('0');
        let cut = i64::try_from(all.len() - kept.len()).ok()?;
        let digits = kept.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(cut)?;
        Some(Self { negative, digits, exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::same_number;

    #[test]
    fn spelling_does_not_count_but_digits_do() {
        for (left, right, same) in [
            ("1", "1.0", true),
            ("100", "1e2", true),
            ("-0", "0", true),
            ("0.10", "1E-1", true),
            ("12345678901234567890", "12345678901234567891", false),
            ("1", "-1", false),
            ("10", "1", false),
            ("1e999999999999999999999", "1", false),
        ] {
            assert_eq!(same_number(left, right), same, "{left} and {right}");
        }
    }
}
