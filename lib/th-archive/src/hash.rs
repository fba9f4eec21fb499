//! SHA-256: of what passes through a reader or writer, and of whole files.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Watch;

/// The size of the buffers that data is moved through.
pub(crate) const CHUNK: usize = 128 * 1024;

/// A SHA-256, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "&str", into = "String")]
pub struct Digest([u8; 32]);

/// The text is not 64 lower-case hex digits.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a SHA-256")]
pub struct BadDigest(String);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digest of the file at `path` and its size.
    ///
    /// # Errors
    /// Those of the file, and [`Watch::check`]'s.
    pub fn of_file(path: &Path, watch: &mut Watch<'_>) -> io::Result<(Self, u64)> {
        Self::of_reader(File::open(path)?, path, watch)
    }

    /// Returns the digest of all that `reader` has to give, and how much that was. `path` is what
    /// the watch is told.
    ///
    /// # Errors
    /// Those of the reader, and [`Watch::check`]'s.
    pub fn of_reader(
        mut reader: impl Read,
        path: &Path,
        watch: &mut Watch<'_>,
    ) -> io::Result<(Self, u64)> {
        let mut hash = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; CHUNK];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok((Self::finish(hash), bytes)),
                Ok(n) => {
                    hash.update(&buffer[..n]);
                    bytes += n as u64;
                    watch.advance(path, n as u64)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the digest of all that `hash` was given.
    pub(crate) fn finish(hash: Sha256) -> Self {
        Self(hash.finalize().into())
    }

    /// Returns the bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let mut bytes = [0; 32];
        match unhex_into(text, &mut bytes) {
            Some(()) => Ok(Self(bytes)),
            None => Err(BadDigest(text.to_owned())),
        }
    }
}

impl TryFrom<&str> for Digest {
    type Error = BadDigest;

    fn try_from(text: &str) -> Result<Self, BadDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        hex(&digest.0)
    }
}

/// Counts and hashes what passes through a reader or a writer.
#[derive(Debug)]
pub struct Hashing<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    /// Wraps `inner`.
    pub fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    /// Returns what was wrapped, the digest and the number of bytes.
    pub fn finish(self) -> (T, Digest, u64) {
        (self.inner, Digest::finish(self.hash), self.bytes)
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.pass(&buffer[..n]);
        Ok(n)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.pass(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Returns `bytes` as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

/// Returns the bytes that lower-case hex digits stand for; `None` when `text` is not such digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    unhex_into(text, &mut bytes).map(|()| bytes)
}

/// Puts them in `bytes`; `None` also when they are not as many.
fn unhex_into(text: &str, bytes: &mut [u8]) -> Option<()> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != bytes.len() * 2 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_standard_and_reads_back() {
        let digest = Digest::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse::<Digest>().unwrap(), digest);
        for bad in [
            "",
            "ba",
            &text.to_uppercase(),
            &text[1..],
            &format!("{text}00"),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_passes_is_counted_and_hashed() {
        let mut reader = Hashing::new(&b"abc"[..]);
        let mut writer = Hashing::new(Vec::new());
        io::copy(&mut reader, &mut writer).unwrap();
        let (_, read, _) = reader.finish();
        let (bytes, written, count) = writer.finish();
        assert_eq!((bytes.as_slice(), count), (&b"abc"[..], 3));
        assert_eq!((read, written), (Digest::of(b"abc"), Digest::of(b"abc")));
    }

    #[test]
    fn hex_reads_back() {
        assert_eq!(
            unhex(&hex(&[0, 9, 0xab, 0xff])).unwrap(),
            [0, 9, 0xab, 0xff]
        );
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0G"), None);
        assert_eq!(unhex("AB"), None);
    }
}
