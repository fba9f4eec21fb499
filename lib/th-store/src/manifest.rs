//! The manifest on disk: strict reading, and the names it may hold.

mod field;
mod layout;

use std::collections::HashSet;

use serde::Serialize as _;
use serde::de::Error as _;
use serde_json::{Serializer, Value};
use th_archive::Digest;
use th_record::{FORMAT, Manifest, Object};

use self::layout::Layout;
use crate::{Error, proof, sums};

/// The name of the file.
pub(crate) const NAME: &str = "manifest.json";

/// Returns the bytes of the file.
pub(crate) fn bytes(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    manifest.serialize(&mut Serializer::with_formatter(&mut bytes, Layout::new()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads the manifest of the set `name`, which must hold every field, no other, and only names
/// that stay in the store.
pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Manifest, Error> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| damaged(name, bytes, e))?;
    // The format comes first: a newer manifest is not damaged because it has other fields.
    if let Some(format) = value.get("format").and_then(Value::as_u64)
        && format > u64::from(FORMAT)
    {
        return Err(Error::Newer {
            what: format!("set '{name}'"),
            format,
        });
    }
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| damaged(name, bytes, e))?;
    let written = serde_json::to_value(&manifest).map_err(|e| damaged(name, bytes, e))?;
    // A derived reader takes an optional field that is missing for null, and some let unknown
    // ones pass.
    match field::other_key(&value, &written).or_else(|| bad_value(name, &manifest)) {
        None => Ok(manifest),
        Some((field, problem)) => Err(Error::Manifest {
            set: name.to_owned(),
            field,
            source: serde_json::Error::custom(problem),
        }),
    }
}

fn damaged(name: &str, bytes: &[u8], source: serde_json::Error) -> Error {
    Error::Manifest {
        set: name.to_owned(),
        field: field::at(bytes, source.line(), source.column()),
        source,
    }
}

/// Returns the first field whose value no writer of ours would write, and what is wrong with it.
fn bad_value(name: &str, manifest: &Manifest) -> Option<(String, &'static str)> {
    let bad = |field: &str, problem| Some((field.to_owned(), problem));
    if manifest.format != FORMAT {
        return bad("format", "there is no such format");
    }
    if manifest.id.as_str() != name {
        return bad("id", "it is not the name of the set's directory");
    }
    let packs = manifest.files.iter().flat_map(|files| &files.packs);
    let objects = manifest
        .objects
        .iter()
        .map(|o| ("objects", o, is_object(o)));
    let mut seen = HashSet::new();
    for (list, object, good) in objects.chain(packs.map(|o| ("files.packs", o, is_pack(o)))) {
        if !good {
            return bad(list, "a name or a hash is not one of ours");
        }
        if !seen.insert(&object.name) {
            return bad(list, "a name occurs twice");
        }
    }
    None
}

fn is_object(object: &Object) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let name = object.name.as_str();
    !name.starts_with('.')
        && (1..=200).contains(&name.len())
        && name.bytes().all(plain)
        && ![NAME, sums::NAME, proof::NAME].contains(&name)
        && object.sha256.parse::<Digest>().is_ok()
}

fn is_pack(object: &Object) -> bool {
    is_pack_name(&object.name) && object.name.starts_with(&object.sha256)
}

/// Tells whether `name` is `<sha256>.tar` and perhaps an extension: not a path to elsewhere.
pub(crate) fn is_pack_name(name: &str) -> bool {
    let Some((stem, extension)) = name.split_once('.') else {
        return false;
    };
    stem.parse::<Digest>().is_ok() && ["tar", "tar.zst", "tar.gz"].contains(&extension)
}

#[cfg(test)]
mod tests;
