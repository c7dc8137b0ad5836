//! Names that come near a mistyped one.

use std::sync::Arc;

/// At most `limit` names that a user may have meant by `text`, the nearest first.
///
/// A name comes near if it contains the text or the other way round, whatever the case of letters,
/// or if about a third of the letters, and six at most, have to be changed.
#[must_use]
pub fn nearest_names(text: &str, names: impl Iterator<Item = Arc<str>>, limit: usize) -> Vec<Arc<str>> {
    let wanted: Vec<char> = text.to_lowercase().chars().collect();
    let lower: String = wanted.iter().collect();
    // Two letters that changed places count as two; a name of three letters bears but one slip.
    let allowed = if wanted.len() < 4 { 1 } else { (wanted.len() / 3).clamp(2, 6) };
    let mut found: Vec<(usize, Arc<str>)> = Vec::new();
    for name in names {
        let other = name.to_lowercase();
        let distance = if lower.is_empty() || other.is_empty() {
            None
        } else if other.starts_with(&lower) {
            Some(0)
        } else if other.contains(&lower) || (other.chars().nth(2).is_some() && lower.contains(&other)) {
            Some(1)
        } else {
            distance_within(&wanted, &other, allowed)
        };
        if let Some(distance) = distance {
            let place = found.partition_point(|(other, _)| *other <= distance);
            if place < limit {
                found.insert(place, (distance, name));
                found.truncate(limit);
            }
        }
    }
    found.into_iter().map(|(_, name)| name).collect()
}

/// How many letters have to be put in, left out or changed, if that is no more than `allowed`.
fn distance_within(wanted: &[char], other: &str, allowed: usize) -> Option<usize> {
    let length = other.chars().count();
    if length.abs_diff(wanted.len()) > allowed {
        return None;
    }
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (index, letter) in other.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut least = left;
        for (own, above) in wanted.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(*own != letter);
            diagonal = *above;
            left = changed.min(left + 1).min(*above + 1);
            *above = left;
            least = least.min(left);
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
        if least > allowed {
            return None;
        }
    }
    row.last().copied().filter(|distance| *distance <= allowed)
}

#[cfg(test)]
mod tests {
    use super::nearest_names;

    fn check(text: &str, expected: &[&str]) {
        let names = ["order-1", "order-12", "Order-2", "payment-1", "user-ae54", "李小龙"];
        let found = nearest_names(text, names.into_iter().map(Into::into), 3);
        assert_eq!(found.iter().map(|name| &**name).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn names_come_near_by_part_or_by_a_slip() {
        check("ordr-1", &["order-1", "order-12", "Order-2"]);
        check("order", &["order-1", "order-12", "Order-2"]);
        check("AE54", &["user-ae54"]);
        check("李小", &["李小龙"]);
        check("warehouse-77", &[]);
        check("", &[]);
    }
}
