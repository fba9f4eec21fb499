//! Which field of a JSON text is meant: serde_json says a line and a column only.

use serde_json::Value;

enum Level {
    Object(String),
    Array(usize),
}

/// Returns the path of the field at a line and column of `text`, like `files.packs[0].bytes`; the
/// empty path is shown as `.`.
pub(crate) fn at(text: &[u8], line: usize, column: usize) -> String {
    let before: usize = text
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let end = text.len().min(before + column);
    show(&levels(&text[..end]))
}

/// Returns the levels that are open at the end of `text`.
fn levels(text: &[u8]) -> Vec<Level> {
    let mut levels = Vec::new();
    let mut string = String::new();
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => string = quoted(&mut bytes),
            b':' => {
                if let Some(Level::Object(key)) = levels.last_mut() {
                    *key = std::mem::take(&mut string);
                }
            }
            b',' => {
                if let Some(Level::Array(index)) = levels.last_mut() {
                    *index += 1;
                }
            }
            b'{' => levels.push(Level::Object(String::new())),
            b'[' => levels.push(Level::Array(0)),
            b'}' | b']' => drop(levels.pop()),
            _ => {}
        }
    }
    levels
}

/// Reads to the closing quote. Keys of ours have no escapes, so these are kept as they are.
fn quoted<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> String {
    let mut string = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => string.extend([Some(byte), bytes.next()].into_iter().flatten()),
            _ => string.push(*byte),
        }
    }
    String::from_utf8_lossy(&string).into_owned()
}

fn show(levels: &[Level]) -> String {
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object(key) if key.is_empty() => {}
            Level::Object(key) if path.is_empty() => path.push_str(key),
            Level::Object(key) => path.push_str(&format!(".{key}")),
            Level::Array(index) => path.push_str(&format!("[{index}]")),
        }
    }
    if path.is_empty() { ".".into() } else { path }
}

/// Returns the path of the first key that only one of two values has, and what is wrong with it.
pub(crate) fn other_key(found: &Value, written: &Value) -> Option<(String, &'static str)> {
    compare(&mut Vec::new(), found, written)
}

fn compare(
    path: &mut Vec<Level>,
    found: &Value,
    written: &Value,
) -> Option<(String, &'static str)> {
    let mut below = |level, found, written| {
        path.push(level);
        let other = compare(path, found, written);
        path.pop();
        other
    };
    match (found, written) {
        (Value::Object(found), Value::Object(written)) => {
            for (key, value) in found {
                let level = Level::Object(key.clone());
                match written.get(key) {
                    Some(other) => {
                        if let Some(other) = below(level, value, other) {
                            return Some(other);
                        }
                    }
                    None => {
                        path.push(level);
                        return Some((show(path), "the field is unknown"));
                    }
                }
            }
            let missing = written.keys().find(|key| !found.contains_key(*key))?;
            path.push(Level::Object(missing.clone()));
            Some((show(path), "the field is missing"))
        }
        (Value::Array(found), Value::Array(written)) => (found.iter().zip(written).enumerate())
            .find_map(|(index, (found, written))| below(Level::Array(index), found, written)),
        _ => None,
    }
}
