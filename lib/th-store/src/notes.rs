//! RESTORE.md.

use th_record::Manifest;

/// Returns RESTORE.md.
pub fn restore_notes(_manifest: &Manifest) -> String {
    String::new()
}
