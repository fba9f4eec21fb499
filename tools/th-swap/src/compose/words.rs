//! What compose says of its trouble, without what no record may hold: it repeats what it cannot read,
//! and its env files are full of secrets.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::compose::NO_ENV_FILE;

/// What compose says is cut to this many lines from the end.
const LAST_LINES: usize = 6;

/// What stands in place of a secret.
const MASK: &str = "***";

/// A value shorter than this is masked only where it is a word of its own.
const SHORT: usize = 4;

/// What its reader of env files says. It repeats the rest of the line, or of the file.
const READER: [&str; 5] = [
    "unterminated quoted value",
    "in variable name",
    "key cannot contain a space",
    "separate key from value",
    "nvalid template",
];

/// Returns what compose said last. `env_files` are the files that it reads; the first one is the
/// environment's.
pub(super) fn last(text: &str, env_files: &[PathBuf]) -> String {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !is_warning(line));
    let mut told = Vec::new();
    for line in lines {
        if let Some(trouble) = of_reader(line, env_files.first()) {
            // What follows may be more of the same value.
            told.push(trouble);
            break;
        }
        told.push(line.to_owned());
    }
    let told = told[told.len().saturating_sub(LAST_LINES)..].join("; ");
    mask(told, &secrets(env_files))
}

/// A warning is not what made it fail, and one names what it took for a variable in a password.
fn is_warning(line: &str) -> bool {
    line.contains("level=warning") || line.starts_with("WARNING:")
}

/// Returns the place and the reason of what the reader of env files refuses, and nothing of the rest.
fn of_reader(line: &str, env_file: Option<&PathBuf>) -> Option<String> {
    let reason = READER.iter().find(|reason| line.contains(*reason))?;
    let reason = match *reason {
        "in variable name" => "unexpected character in a variable's name",
        "separate key from value" => "no value",
        "nvalid template" => "invalid template",
        reason => reason,
    };
    let such_as = env_file.map_or(String::new(), |path| {
        format!(", such as '{}',", path.display())
    });
    Some(match place(line) {
        Some((file, line)) if !file.is_empty() => format!("{file}line {line}: {reason}"),
        Some((_, line)) => {
            format!("line {line} of an env file{such_as} cannot be read: {reason}")
        }
        None => format!("an env file{such_as} cannot be read: {reason}"),
    })
}

/// Returns what stands before `line N:`, and N.
fn place(text: &str) -> Option<(&str, u64)> {
    let (before, after) = text.split_once("line ")?;
    let number = after.split_once(':')?.0.parse().ok()?;
    Some((before, number))
}

/// Returns the values of the env files as compose may repeat them.
fn secrets(env_files: &[PathBuf]) -> BTreeSet<String> {
    let read = |path: &PathBuf| fs::read(path).ok();
    let texts = env_files.iter().filter_map(read);
    texts
        .flat_map(|text| values(&String::from_utf8_lossy(&text)))
        .collect()
}

/// Returns each value, and the pieces that it may be taken apart into.
fn values(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        let value = line.split_once(['=', ':']).map_or("", |(_, value)| value);
        let plain = value.trim().trim_matches(['"', '\'']);
        let bare = plain.split(" #").next().unwrap_or_default();
        // A line of a value of several lines may look like a variable.
        let mut forms = vec![
            line,
            value,
            plain,
            bare.trim_end().trim_matches(['"', '\'']),
        ];
        forms.extend(value.split_once('=').map(|(_, rest)| rest));
        forms.extend(plain.split("\\n"));
        if plain.contains('$') {
            forms.extend(plain.split(['$', '{', '}', ':', '?', '+', '-', '=']));
        }
        for form in forms.into_iter().map(str::trim) {
            found.insert(form.to_owned());
            found.insert(form.escape_debug().to_string());
            found.insert(form.replace("\\\"", "\""));
        }
    }
    found
}

fn mask(mut text: String, secrets: &BTreeSet<String>) -> String {
    // The longest first: one may be a part of another.
    let mut secrets: Vec<&String> = secrets.iter().collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        if secret.len() >= SHORT {
            text = text.replace(secret.as_str(), MASK);
        } else if is_word(secret) {
            text = mask_word(&text, secret);
        }
    }
    text
}

/// A number as short as that is in many a sentence, and no secret.
fn is_word(secret: &str) -> bool {
    secret.chars().all(char::is_alphanumeric) && secret.chars().any(char::is_alphabetic)
}

fn mask_word(text: &str, word: &str) -> String {
    let parts = text.split_inclusive(|c: char| !c.is_alphanumeric());
    parts
        .map(|part| match part.strip_prefix(word) {
            Some(rest) if !rest.starts_with(char::is_alphanumeric) => format!("{MASK}{rest}"),
            _ => part.to_owned(),
        })
        .collect()
}

/// Returns the env files that compose reads for the compose file `file`: the environment's, and its
/// own beside the file.
pub(super) fn env_files(env_file: &Path, file: &Path) -> Vec<PathBuf> {
    let own = file.with_file_name(".env");
    let files = [env_file.to_owned(), own].into_iter();
    files
        .filter(|path| path != Path::new(NO_ENV_FILE))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(env: &str, words: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("env");
        fs::write(&file, env).unwrap();
        last(words, &[file, dir.path().join("none")])
    }

    #[test]
    fn the_reader_of_env_files_tells_but_the_place() {
        for (words, wanted) in [
            (
                "line 2: unterminated quoted value \"abc",
                "line 2 of an env file",
            ),
            (
                "line 1: unexpected character \"$\" in variable name \"PASS$WORD=abc\"",
                "line 1 of an env file",
            ),
            (
                "unexpected character \"$\" in variable name near \"PASS$WORD=abc\\nOTHER=abc\"",
                "an env file",
            ),
            (
                "failed to read /srv/.env: line 7: unterminated quoted value \"abc\nmore abc",
                "failed to read /srv/.env: line 7: unterminated",
            ),
            ("Invalid template: \"${abc\"", "an env file"),
        ] {
            let said = last(words, &[]);
            assert!(said.starts_with(wanted), "{said}");
            assert!(!said.contains("abc"), "{said}");
        }
    }

    #[test]
    fn values_are_masked_however_they_are_written() {
        let env = "A=hunter2\nexport B=\"two words\" # old: hunter1\nC='quo\"ted'\nD: colon77\n\
                   KEY=\"-----BEGIN\nMIIabc==\n-----END\"\nE=front$back$$\nF=x=y=zzzz\nG=ab\nN=2\n";
        for (words, wanted) in [
            ("no 'hunter2' in hunter2x", "no '***' in ***x"),
            ("two words, twofold", "***, twofold"),
            ("\"quo\\\"ted\" and quo\"ted", "\"***\" and ***"),
            ("D colon77", "D ***"),
            ("MIIabc==", "***"),
            ("the \"back\" of front", "the \"***\" of ***"),
            ("x=y=zzzz", "***"),
            ("ab abc cab a-ab.", "*** abc cab a-***."),
            ("line 2", "line 2"),
        ] {
            assert_eq!(said(env, words), wanted);
        }
    }

    #[test]
    fn the_last_lines_are_told_and_no_warnings() {
        let words = "one\n\n2\n3\ntime=\"x\" level=warning msg=\"The \\\"abc\\\" variable\"\n4\n\
                     WARNING: The abc variable is not set.\n5\n6\n 7 \n";
        assert_eq!(last(words, &[]), "2; 3; 4; 5; 6; 7");
    }
}
