//! The known key that an unknown one was probably meant to be.

/// Returns what to write instead, from the message of an unknown-field error of serde, whose
/// backquoted words are the unknown key and then the known ones.
pub(crate) fn hint(message: &str) -> Option<String> {
    let mut words = message
        .strip_prefix("unknown field ")?
        .split('`')
        .skip(1)
        .step_by(2);
    let unknown = words.next()?;
    let known: Vec<&str> = words.collect();
    let nearest = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(unknown, key), *key))
        .filter(|(distance, key)| *distance * 2 <= key.len())
        .min();
    Some(match nearest {
        Some((_, key)) => format!("did you mean '{key}'?"),
        None => format!("known here: {}", known.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn a_slip_is_recognised_and_nonsense_gets_the_list() {
        let message =
            |key: &str| format!("unknown field `{key}`, expected one of `store`, `offsite`");
        assert_eq!(hint(&message("stoer")).unwrap(), "did you mean 'store'?");
        assert_eq!(hint(&message("xyz")).unwrap(), "known here: store, offsite");
        assert_eq!(hint("invalid type"), None);
    }
}
