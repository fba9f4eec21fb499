//! An object on its way into the store: compressed, hashed and written in one pass.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use th_record::Object;

use crate::compress::{Compression, Encoder};
use crate::hash::Hashing;

/// A writer of an object. What is written to it is compressed, hashed and put in a file.
pub struct Stored {
    encoder: Encoder<Hashing<File>>,
    name: String,
    raw_bytes: u64,
}

/// An object that is whole and durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The object as the manifest lists it.
    pub object: Object,
    /// Its size before compression.
    pub raw_bytes: u64,
}

impl Stored {
    /// Creates the file of the object `stem` in `dir`, with mode 0600. Its name is that of
    /// [`Compression::name`]; there must be no such file yet.
    ///
    /// # Errors
    /// Those of creating the file.
    pub fn create(dir: &Path, stem: &str, compression: Compression) -> io::Result<Self> {
        let name = compression.name(stem);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(dir.join(&name))?;
        Ok(Self {
            encoder: Encoder::new(Hashing::new(file), compression)?,
            name,
            raw_bytes: 0,
        })
    }

    /// Returns how many bytes were written, before compression.
    pub fn raw_bytes(&self) -> u64 {
        self.raw_bytes
    }

    /// Ends the stream and makes the file durable.
    ///
    /// # Errors
    /// Those of write and fsync.
    pub fn finish(self) -> io::Result<Finished> {
        let (file, sha256, bytes) = self.encoder.finish()?.finish();
        file.sync_all()?;
        Ok(Finished {
            object: Object {
                name: self.name,
                bytes,
                sha256: sha256.to_string(),
            },
            raw_bytes: self.raw_bytes,
        })
    }
}

impl Write for Stored {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.encoder.write(bytes)?;
        self.raw_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;

    use super::*;
    use crate::{Digest, open};

    #[test]
    fn an_object_reads_back_and_its_hash_is_that_of_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..5_000_000_u32).map(|n| (n / 7) as u8).collect();
        for compression in ["zstd:3", "gzip:6", "none"] {
            let compression: Compression = compression.parse().unwrap();
            let mut stored = Stored::create(dir.path(), "dump", compression).unwrap();
            stored.write_all(&content).unwrap();
            let finished = stored.finish().unwrap();
            assert_eq!(finished.raw_bytes, content.len() as u64);
            let path = dir.path().join(&finished.object.name);
            let bytes = fs::read(&path).unwrap();
            assert_eq!(finished.object.bytes, bytes.len() as u64);
            assert_eq!(finished.object.sha256, Digest::of(&bytes).to_string());
            let mut back = Vec::new();
            open(&path).unwrap().read_to_end(&mut back).unwrap();
            assert!(back == content, "{compression}");

            if compression != Compression::None {
                fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
                let cut = open(&path).unwrap().read_to_end(&mut Vec::new());
                assert!(cut.is_err(), "{compression}: a cut stream passes for whole");
            }
            assert!(Stored::create(dir.path(), "dump", compression).is_err());
        }
    }
}
