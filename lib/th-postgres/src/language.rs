//! The language that a server answers client programs in.
//!
//! `pg_restore` and its kin print what the server says and not its SQLSTATE, so why they failed is
//! known by words, in English. A superuser's session may choose English; any other's answers in what
//! the server was set to, and words that are not known to be English are not read.

use std::env;

use crate::Server;
use crate::server::Place;

/// Chooses English.
const ENGLISH: &str = "-c lc_messages=C";

impl Server {
    /// Returns the `PGOPTIONS` of a client program whose words are read: those of our environment,
    /// `more`, and English where the role may choose.
    pub(crate) fn options(&self, more: &str) -> String {
        let ours = match self.place {
            Place::Host { .. } => env::var("PGOPTIONS").unwrap_or_default(),
            Place::Container { .. } => String::new(),
        };
        let english = if self.is_superuser { ENGLISH } else { "" };
        let all = [&*ours, more, english];
        let some: Vec<&str> = all.into_iter().filter(|it| !it.is_empty()).collect();
        some.join(" ")
    }

    /// Returns the language that the server answers such a program in, unless it is English.
    pub(crate) fn foreign_language(&self) -> Option<&str> {
        let yields = matches!(&self.place, Place::Host { url } if url.has_options());
        let chosen = self.is_superuser && !yields;
        (!chosen && !is_english(&self.lc_messages)).then_some(&self.lc_messages)
    }
}

/// Tells whether a server whose `lc_messages` is this answers in English for sure: an empty one is
/// whatever its environment was.
fn is_english(lc_messages: &str) -> bool {
    let language = lc_messages.split(['.', '_', '@']).next();
    language.is_some_and(|language| ["C", "POSIX", "en", "English"].contains(&language))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_is_english_for_sure_is() {
        let is_english = super::is_english;
        for english in ["C", "POSIX", "C.UTF-8", "en", "en_US.utf8", "en_GB@euro"] {
            assert!(is_english(english), "{english}");
        }
        for other in ["", "de_DE.UTF-8", "eno_XX", "Czech_Czechia.1250"] {
            assert!(!is_english(other), "{other}");
        }
    }
}
