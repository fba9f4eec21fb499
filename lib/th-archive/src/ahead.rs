//! An iterator that runs ahead in a thread of its own.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::vec;

/// How many items go from thread to thread at once.
pub(crate) const BATCH: usize = 512;
/// How many batches may wait.
pub(crate) const BATCHES: usize = 4;

/// What another iterator gives, made by another thread meanwhile.
pub(crate) struct Ahead<T> {
    batches: Receiver<Vec<T>>,
    batch: vec::IntoIter<T>,
}

impl<T: Send + 'static> Ahead<T> {
    /// Starts to run `items` ahead, by a few thousand at most. Dropping this ends it.
    pub(crate) fn new(mut items: impl Iterator<Item = T> + Send + 'static) -> Self {
        let (sender, batches) = sync_channel(BATCHES);
        thread::spawn(move || {
            loop {
                let batch: Vec<T> = items.by_ref().take(BATCH).collect();
                // Nobody wants the rest once the receiver is gone.
                if batch.is_empty() || sender.send(batch).is_err() {
                    return;
                }
            }
        });
        Self {
            batches,
            batch: Vec::new().into_iter(),
        }
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.batch.next().or_else(|| {
            self.batch = self.batches.recv().ok()?.into_iter();
            self.batch.next()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_items_come_in_their_order() {
        for count in [0, 1, BATCH, 10 * BATCH + 1] {
            assert!(Ahead::new(0..count).eq(0..count));
        }
    }

    #[test]
    fn dropping_it_ends_the_thread() {
        let (sender, ended) = sync_channel::<()>(0);
        let mut ahead = Ahead::new(std::iter::repeat_with(move || {
            let _ = &sender;
        }));
        ahead.next();
        drop(ahead);
        assert!(ended.recv().is_err());
    }
}
