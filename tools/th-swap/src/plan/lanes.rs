//! The gate of the lanes that the settings do not name.

use th_record::kind::GateResult;

/// Refuses while there are lanes `beyond` those of the settings: nginx may still lead users there, and
/// no switch moves them.
pub(super) fn beyond(beyond: &[u16]) -> Option<GateResult> {
    let (first, last) = (beyond.first()?, beyond.last()?);
    Some(GateResult {
        name: "lanes".to_owned(),
        ok: Some(false),
        found: format!(
            "lanes {first:02} to {last:02} are beyond those of slots.lanes, and lead where they led"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::beyond;

    #[test]
    fn lanes_that_no_switch_moves_refuse() {
        assert_eq!(beyond(&[]), None);
        let gate = beyond(&[10, 11, 19]).unwrap();
        assert_eq!(gate.ok, Some(false));
        assert!(gate.found.starts_with("lanes 10 to 19 are beyond"));
    }
}
