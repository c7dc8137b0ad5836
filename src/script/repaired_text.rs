//! Texts of the engine as whole characters.

/// UTF-8 in which each half of a surrogate pair has become one replacement character.
pub(crate) fn repaired(text: &[u8]) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                whole.push_str(valid);
                return whole;
            }
            Err(err) => {
                let (valid, bad) = rest.split_at_checked(err.valid_up_to()).unwrap_or((rest, &[]));
                whole.push_str(std::str::from_utf8(valid).unwrap_or_default());
                whole.push(char::REPLACEMENT_CHARACTER);
                // A half takes three bytes; anything else that is no UTF-8 does not come from a string.
                let skipped = if bad.first() == Some(&0xed) { 3 } else { 1 };
                rest = bad.get(skipped..).unwrap_or_default();
            }
        }
    }
}
