//! The data of a dump: a block for each entry that has some.

use super::head::{Head, int};

/// The data of a table: `BLK_DATA`.
const TABLE: u8 = 1;

/// Those of large objects: `BLK_BLOBS`.
const LARGE_OBJECTS: u8 = 3;

/// The place is noted: `K_OFFSET_POS_SET`.
const SET: u8 = 2;

/// Follows the blocks, and notes in the table of contents where each begins.
pub(super) struct Body {
    head: Head,
    /// How far into the dump it is.
    at: u64,
    /// Where the block begins.
    block: u64,
    large_objects: bool,
    next: Next,
    /// What there is so far of a number.
    part: Vec<u8>,
    noted: bool,
}

/// What comes next.
enum Next {
    /// The kind of a block.
    Kind,
    /// The id of the block's entry.
    Id,
    /// The number of a large object, or the 0 after the last one.
    Object,
    /// The length of a piece, or the 0 after the last one.
    Length,
    /// So many bytes of data.
    Data(u64),
}

impl Body {
    pub(super) fn new(head: Head) -> Self {
        Self {
            at: head.end as u64,
            head,
            block: 0,
            large_objects: false,
            next: Next::Kind,
            part: Vec::with_capacity(9),
            noted: false,
        }
    }

    /// Tells whether the dump ended where one ends, and had data.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.next, Next::Kind) && self.noted
    }

    /// Takes the next bytes of the dump; none when they are not what they should be.
    pub(super) fn pass(&mut self, mut bytes: &[u8], toc: &mut [u8]) -> Option<()> {
        while !bytes.is_empty() {
            let wanted = match self.next {
                Next::Data(left) => {
                    let count = left.min(bytes.len() as u64);
                    bytes = &bytes[count as usize..];
                    self.at += count;
                    self.next = match left - count {
                        0 => Next::Length,
                        left => Next::Data(left),
                    };
                    continue;
                }
                Next::Kind => 1,
                Next::Id | Next::Object | Next::Length => 1 + self.head.int_size,
            };
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.part.len()));
            self.part.extend_from_slice(taken);
            self.at += taken.len() as u64;
            bytes = rest;
            if self.part.len() == wanted {
                self.next = self.step(toc)?;
                self.part.clear();
            }
        }
        Some(())
    }

    /// Returns what comes after the part that is whole now.
    fn step(&mut self, toc: &mut [u8]) -> Option<Next> {
        if matches!(self.next, Next::Kind) {
            let kind = self.part[0];
            self.block = self.at - 1;
            self.large_objects = kind == LARGE_OBJECTS;
            return [TABLE, LARGE_OBJECTS].contains(&kind).then_some(Next::Id);
        }
        let number = int(&self.part)?;
        match self.next {
            Next::Id => {
                self.note(number, toc)?;
                Some(self.object())
            }
            Next::Object if number == 0 => Some(Next::Kind),
            Next::Object => Some(Next::Length),
            _ if number == 0 && self.large_objects => Some(Next::Object),
            _ if number == 0 => Some(Next::Kind),
            _ => Some(Next::Data(u64::try_from(number).ok()?)),
        }
    }

    fn object(&self) -> Next {
        match self.large_objects {
            true => Next::Object,
            false => Next::Length,
        }
    }

    fn note(&mut self, id: i64, toc: &mut [u8]) -> Option<()> {
        let slot = *self.head.slots.get(&id)?;
        let place = self.block.to_le_bytes();
        let (place, above) = place.split_at(self.head.offset_size);
        if above.iter().any(|byte| *byte != 0) {
            return None;
        }
        toc[slot] = SET;
        toc[slot + 1..slot + 1 + place.len()].copy_from_slice(place);
        self.noted = true;
        Some(())
    }
}
