//! Long lists of which only the start is kept.

/// How many items are kept.
const KEPT: usize = 100;

/// The first hundred of many, and how many there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capped {
    /// How many there were.
    pub count: u64,
    /// The first hundred.
    pub first: Vec<String>,
}

impl Capped {
    pub(crate) fn push(&mut self, item: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(item());
        }
    }
}
