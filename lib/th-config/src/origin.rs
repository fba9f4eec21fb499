//! Where in th.toml a setting is, for what is found to be wrong only after parsing.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Error;

/// The text that an environment was read from.
#[derive(Clone)]
pub(crate) struct Origin {
    path: PathBuf,
    text: String,
    env: String,
}

/// The text may hold the password of an address.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Origin").field(&self.path).finish()
    }
}

impl Origin {
    /// Notes that the environment `env` was read from `text`, which is what `path` holds.
    pub(crate) fn new(path: &Path, text: &str, env: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            env: env.to_owned(),
        }
    }

    /// Points `error` at the setting it is about, if that is in the file.
    pub(crate) fn locate(&self, error: Error) -> Error {
        let (Error::Value { setting, .. } | Error::Later { setting, .. }) = &error else {
            return error;
        };
        match self.start(setting) {
            Some(start) => Error::at(&self.path, &self.text, start, &error),
            None => error,
        }
    }

    /// Returns where the value of `setting` begins, a path of keys below the environment.
    fn start(&self, setting: &str) -> Option<usize> {
        let document = DeTable::parse(&self.text).ok()?;
        let mut keys = ["env", &self.env].into_iter().chain(setting.split('.'));
        let mut found = value(document.get_ref(), keys.next()?)?;
        for key in keys {
            let DeValue::Table(table) = found.get_ref() else {
                return None;
            };
            found = value(table, key)?;
        }
        Some(found.span().start)
    }
}

fn value<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
    let mut pairs = table.iter();
    pairs.find_map(|(name, value)| (name.get_ref() == key).then_some(value))
}
