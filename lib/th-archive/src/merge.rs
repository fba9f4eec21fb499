//! Two sequences in the order of a walk, side by side.

use std::cmp::Ordering;

use crate::Error;
use crate::ahead::Ahead;
use crate::entry::Entry;
use crate::listing::Listing;
use crate::walk::{Step, Walk};

/// What one or both sequences have at a path.
pub(crate) enum Pair {
    /// Only the directory has it.
    Live(Step),
    /// Only the listing has it.
    Listed(Entry),
    /// Both have it.
    Both(Step, Entry),
}

/// A walk beside a listing, both read once.
pub(crate) struct Merge<'a> {
    walk: Walk<'a>,
    listing: Option<Ahead<Result<Entry, Error>>>,
    step: Option<Step>,
    entry: Option<Entry>,
}

impl<'a> Merge<'a> {
    pub(crate) fn new(walk: Walk<'a>, listing: Option<Listing>) -> Self {
        Self {
            walk,
            // Reading a listing takes about as long as the walk.
            listing: listing.map(Ahead::new),
            step: None,
            entry: None,
        }
    }

    /// Returns what there is at the next path; `None` at the end of both.
    pub(crate) fn next(&mut self) -> Result<Option<Pair>, Error> {
        if self.step.is_none() {
            self.step = self.walk.next();
        }
        if self.entry.is_none() {
            self.entry = self.listing.as_mut().and_then(Iterator::next).transpose()?;
        }
        let order = match (&self.step, &self.entry) {
            (Some(step), Some(entry)) => step.path().cmp(&entry.path),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        Ok(match order {
            Ordering::Less => self.step.take().map(Pair::Live),
            Ordering::Greater => self.entry.take().map(Pair::Listed),
            Ordering::Equal => self
                .step
                .take()
                .zip(self.entry.take())
                .map(|(step, entry)| Pair::Both(step, entry)),
        })
    }
}
