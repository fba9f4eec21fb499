//! SHA256SUMS: the hashes of a set, for `sha256sum -c`.

use std::fmt::Write;

use th_archive::Digest;
use th_record::Object;

use crate::manifest;

/// The name of the file.
pub(crate) const NAME: &str = "SHA256SUMS";

/// Returns the text of the file: the objects in the manifest's order, then the manifest.
pub(crate) fn text(objects: &[Object], manifest_sha256: Digest) -> String {
    let mut text = String::new();
    for Object { name, sha256, .. } in objects {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{sha256}  {name}");
    }
    let _ = writeln!(text, "{manifest_sha256}  {}", manifest::NAME);
    text
}
