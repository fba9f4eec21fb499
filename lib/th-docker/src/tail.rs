//! The last bytes of a stream of unknown length.

/// Keeps the last `limit` bytes of what is added.
#[derive(Debug)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    limit: usize,
}

impl Tail {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
        }
    }

    pub(crate) fn add(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        // Cut at twice the limit, so that the move is rare.
        if self.bytes.len() > 2 * self.limit {
            self.bytes.drain(..self.bytes.len() - self.limit);
        }
    }

    /// Returns the end as text, without the white space around it.
    pub(crate) fn text(&self) -> String {
        let start = self.bytes.len().saturating_sub(self.limit);
        String::from_utf8_lossy(&self.bytes[start..])
            .trim()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Tail;

    #[test]
    fn only_the_end_is_kept() {
        let mut tail = Tail::new(4);
        assert_eq!(tail.text(), "");
        for piece in ["ab", "cdefghijk", "l", "m"] {
            tail.add(piece.as_bytes());
        }
        assert_eq!(tail.text(), "jklm");
        assert!(tail.bytes.len() <= 8);
    }
}
