//! What users met at the web server.

use std::fmt;
use std::io;

use th_record::kind::Slot;

use super::Way;
use crate::http::{self, Answer};

/// What several users met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// The slots that answered, each once.
    pub(crate) slots: Vec<Slot>,
    /// How many asked.
    pub(crate) asked: u64,
    /// The answers that were not good.
    pub(crate) bad: Vec<Bad>,
    /// How many were not answered at all.
    pub(crate) silent: u64,
}

impl Answers {
    /// Returns how many were not answered well.
    pub(crate) fn failed(&self) -> u64 {
        self.bad.len() as u64 + self.silent
    }

    /// Says how many were not answered well, and how the first of them was.
    pub(crate) fn complaint(&self) -> String {
        let first = self.bad.first().map(|bad| format!(": {bad}"));
        format!(
            "{} of {} requests through nginx were not answered well{}",
            self.failed(),
            self.asked,
            first.unwrap_or_default()
        )
    }

    /// Takes what one user met.
    ///
    /// # Errors
    /// What was met, when there was nobody to ask.
    pub(super) fn note(&mut self, way: &Way, met: io::Result<Answer>) -> io::Result<()> {
        self.asked += 1;
        match met {
            Ok(answer) => {
                self.slots.extend(answer.slot);
                if !answer.is_good() {
                    self.bad.push(Bad {
                        way: way.clone(),
                        status: answer.status,
                        slot: answer.slot,
                    });
                }
            }
            Err(error) if http::is_not_connected(&error) => return Err(error),
            Err(_) => self.silent += 1,
        }
        Ok(())
    }
}

/// An answer that was not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) way: Way,
    pub(crate) status: u16,
    /// The slot that it names.
    pub(crate) slot: Option<Slot>,
}

impl Bad {
    /// Tells whether it is the app's own, or the app was too slow: that, a release may mend.
    pub(crate) fn is_the_apps(&self) -> bool {
        self.slot.is_some() || matches!(self.status, 500 | 504)
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answers {}", self.way, self.status)
    }
}
