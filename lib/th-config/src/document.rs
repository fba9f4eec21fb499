//! th.toml as it is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Error, Retention, nearest, slots};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) app: String,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Section>,
}

/// `[env.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) root: PathBuf,
    pub(crate) env_file: Option<PathBuf>,
    /// The address of the app; of use to th-health.
    #[serde(rename = "url")]
    pub(crate) _url: Option<String>,
    #[serde(default)]
    pub(crate) database: Database,
    #[serde(default)]
    pub(crate) files: Files,
    #[serde(default)]
    pub(crate) backup: Backup,
    #[serde(default)]
    pub(crate) retention: Retention,
    pub(crate) slots: Option<slots::Section>,
    // The tools that read these check what is in them.
    #[serde(rename = "migrate")]
    _migrate: Option<toml::Table>,
    #[serde(default, rename = "check")]
    _check: Vec<toml::Table>,
}

/// `[env.NAME.database]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) url: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) compose: Option<Compose>,
    pub(crate) name: Option<String>,
    pub(crate) user: Option<String>,
}

/// `compose = { project = "…", service = "…" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Compose {
    pub(crate) project: String,
    pub(crate) service: String,
}

/// `[env.NAME.files]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    pub(crate) uploads: Option<PathBuf>,
    #[serde(default)]
    pub(crate) config: Vec<PathBuf>,
    pub(crate) references: Option<String>,
    #[serde(default)]
    pub(crate) exclude: Vec<String>,
}

/// `[env.NAME.backup]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backup {
    pub(crate) store: Option<PathBuf>,
    pub(crate) compression: Option<String>,
    #[serde(default)]
    pub(crate) recipients: Vec<String>,
    pub(crate) offsite: Option<String>,
    pub(crate) app_query: Option<String>,
}

impl Document {
    /// Parses `text`, which was read from `path`.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let message = error.message().to_owned();
            let hint = nearest::hint(&message);
            Error::invalid(path, text, start, message, hint)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, usize, String, Option<String>) {
        match Document::parse(Path::new("th.toml"), text) {
            Err(Error::Invalid {
                line,
                column,
                message,
                hint,
                ..
            }) => (line, column, message, hint),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unknown_key_is_pointed_at_with_the_nearest_known_one() {
        let text = "app = \"a\"\n[env.p]\nroot = \"/\"\n[env.p.backup]\n  stoer = \"x\"\n";
        let (line, column, message, hint) = error(text);
        assert_eq!((line, column), (5, 3));
        assert!(message.contains("stoer"), "{message}");
        assert_eq!(hint.unwrap(), "did you mean 'store'?");
    }

    #[test]
    fn a_wrong_type_and_bad_syntax_are_pointed_at() {
        assert_eq!(error("app = 3\n").0, 1);
        assert_eq!(error("app = \"a\"\nenv = [\n").0, 2);
    }
}
