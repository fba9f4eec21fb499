//! The file with the app's secrets, and the variables of it that an address names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Error;

/// Replaces each `${NAME}` in an address by the variable's value, percent-encoded: a password may
/// hold any character.
pub(super) fn expand(url: &str, variables: &BTreeMap<String, String>) -> Result<String, Error> {
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once("${") {
        let invalid = |message| Error::Value {
            setting: "database.url",
            message,
        };
        let (name, tail) = after
            .split_once('}')
            .ok_or_else(|| invalid("'${' without '}'".into()))?;
        let value = variables
            .get(name)
            .cloned()
            .or_else(|| std::env::var(name).ok())
            .ok_or_else(|| {
                invalid(format!(
                    "${{{name}}} is neither in env_file nor in the environment"
                ))
            })?;
        out.push_str(before);
        out.extend(percent_encoding::utf8_percent_encode(
            &value,
            percent_encoding::NON_ALPHANUMERIC,
        ));
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Reads `NAME=value` lines as Docker Compose's env files have them: comments, also after a value,
/// `export `, and values in single or double quotes.
pub(super) fn env_file_variables(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), plain(value).to_owned()))
        .collect())
}

/// Returns a value without its quotes, and without the comment that comes after it.
fn plain(value: &str) -> &str {
    let value = value.trim();
    let quoted = |quote: char| {
        let inner = value.strip_prefix(quote)?;
        let is_end = |rest: &str| {
            let after = rest.trim_start();
            after.is_empty() || after.len() < rest.len() && after.starts_with('#')
        };
        let mut ends = inner.match_indices(quote);
        let (end, _) = ends.find(|(at, _)| is_end(&inner[at + quote.len_utf8()..]))?;
        Some(&inner[..end])
    };
    let uncommented = || value.split_once(" #").map_or(value, |(value, _)| value);
    quoted('"')
        .or_else(|| quoted('\''))
        .unwrap_or_else(|| uncommented().trim_end())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_comment_is_no_part_of_a_value() {
        for (written, value) in [
            ("secret # the password", "secret"),
            (" s#cret ", "s#cret"),
            ("'se # cret'  # the password", "se # cret"),
            ("\"se # cret\"", "se # cret"),
            ("\"se\"cret\"", "se\"cret"),
            ("\"secret", "\"secret"),
            ("''", ""),
            ("", ""),
        ] {
            assert_eq!(plain(written), value, "{written}");
        }
    }
}
