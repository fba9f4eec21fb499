//! The tool's own requests in the hold, one after the other: to the slot's own sockets, and through the
//! web server as a user's.

use std::io;

use crate::boot;
use crate::front::{Front, Way};
use crate::http::Client;
use crate::watch::Subject;

/// So many failures in a row are no accident.
const FAILURES: u32 = 3;

/// What is asked, and how that went.
pub(super) struct Probes {
    client: Option<Client>,
    /// `None` is the slot's own sockets.
    ways: Vec<Option<Way>>,
    rows: Rows,
    asked: u64,
    front_is_down: bool,
}

impl Probes {
    pub(super) fn new(front: Option<&Front>) -> Self {
        let through = front
            .into_iter()
            .flat_map(|it| it.gets().iter().chain(it.post()));
        let ways: Vec<_> = [None]
            .into_iter()
            .chain(through.cloned().map(Some))
            .collect();
        Self {
            client: front.map(Front::kept_alive),
            rows: Rows::new(ways.len()),
            ways,
            asked: 0,
            front_is_down: false,
        }
    }

    /// Asks for what is next. Returns whether that failed, and why it is enough to go back.
    pub(super) fn ask(&mut self, subject: &Subject<'_>) -> (bool, Option<String>) {
        let (user, turn) = (self.asked, self.asked as usize % self.ways.len());
        self.asked += 1;
        let failure = match (&self.ways[turn], subject.front, &mut self.client) {
            (Some(way), Some(front), Some(client)) => {
                let answer = front.ask(client, user, way);
                self.front_is_down = answer.as_ref().is_err_and(is_down);
                match answer {
                    Ok(answer) if answer.is_good() => None,
                    Ok(answer) => Some(format!("{way}: status {}", answer.status)),
                    Err(error) => Some(format!("{way}: {error}")),
                }
            }
            _ => boot::probe(subject.context, subject.pending.slot).err(),
        };
        let is_worse = self.rows.note(turn, failure.is_some());
        let failed = failure.is_some();
        let why = failure.filter(|_| is_worse);
        (
            failed,
            why.map(|why| format!("{FAILURES} probes in a row failed: {why}")),
        )
    }

    /// Tells whether all was asked, and answered well when it was asked last.
    pub(super) fn are_good(&self) -> bool {
        self.rows.are_good()
    }

    /// Tells whether the web server did not even take a connection when it was asked last.
    pub(super) fn front_is_down(&self) -> bool {
        self.front_is_down
    }
}

/// Tells whether nobody listens: that says nothing of what is behind.
fn is_down(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::ConnectionRefused, io::ErrorKind::NotFound];
    kinds.contains(&error.kind())
}

/// How many failures there were in a row: of each thing that is asked, and of all.
#[derive(Debug)]
struct Rows {
    each: Vec<Option<u32>>,
    all: u32,
}

impl Rows {
    fn new(count: usize) -> Self {
        Self {
            each: vec![None; count],
            all: 0,
        }
    }

    /// Notes how `turn` went, and tells whether these are too many: one service that fails is not
    /// made good by the others.
    fn note(&mut self, turn: usize, failed: bool) -> bool {
        let add = |row: u32| if failed { row + 1 } else { 0 };
        let row = add(self.each[turn].unwrap_or(0));
        self.each[turn] = Some(row);
        self.all = add(self.all);
        row.max(self.all) >= FAILURES
    }

    fn are_good(&self) -> bool {
        self.each.iter().all(|row| *row == Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn a_row_is_that_of_one_or_of_all() {
        let mut rows = Rows::new(2);
        let mut note = |turn, failed| rows.note(turn, failed);
        assert!(!note(0, true) && !note(1, true) && note(0, true));
        assert!(!note(1, false) && note(0, true), "one of them fails on");
        assert!(!note(1, false) && !note(0, false) && !note(0, true));
    }

    #[test]
    fn all_is_good_once_all_was_asked_and_is() {
        let mut rows = Rows::new(2);
        rows.note(0, false);
        assert!(!rows.are_good());
        rows.note(1, true);
        assert!(!rows.are_good());
        rows.note(1, false);
        assert!(rows.are_good());
    }
}
