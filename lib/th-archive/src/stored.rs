//! An object on its way into the store: compressed, hashed and written in one pass.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use th_record::Object;

use crate::compress::{Compression, Encoder, Measure};
use crate::hash::Hashing;

/// A writer of an object. What is written to it is compressed, hashed and put in a file.
pub struct Stored {
    way: Way,
    name: String,
    raw_bytes: u64,
}

enum Way {
    Encode(Box<Encoder<Hashing<File>>>),
    /// It comes as a stream of zstd, which only has to be measured.
    Packed(Hashing<File>, Measure),
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
        let file = create(dir, &name)?;
        Ok(Self {
            way: Way::Encode(Box::new(Encoder::new(Hashing::new(file), compression)?)),
            name,
            raw_bytes: 0,
        })
    }

    /// As [`Stored::create`], but what is written is a stream of zstd already. It is decompressed
    /// on the way, to know its size and that it is whole.
    ///
    /// # Errors
    /// Those of creating the file.
    pub fn create_packed(dir: &Path, stem: &str) -> io::Result<Self> {
        let name = Compression::default().name(stem);
        let file = create(dir, &name)?;
        Ok(Self {
            way: Way::Packed(Hashing::new(file), Measure::new()?),
            name,
            raw_bytes: 0,
        })
    }

    /// Writes all of the bytes. `on_raw` is shown what they are before compression, as far as that
    /// is known by now.
    ///
    /// # Errors
    /// Those of write; a stream that is no zstd.
    pub fn put(&mut self, bytes: &[u8], on_raw: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let raw_bytes = &mut self.raw_bytes;
        let mut on_raw = |raw: &[u8]| {
            *raw_bytes += raw.len() as u64;
            on_raw(raw);
        };
        match &mut self.way {
            Way::Encode(encoder) => {
                on_raw(bytes);
                encoder.write_all(bytes)
            }
            Way::Packed(hashing, measure) => {
                measure.pass(bytes, &mut on_raw)?;
                hashing.write_all(bytes)
            }
        }
    }

    /// Returns how many bytes were written so far, before compression.
    pub fn raw_bytes(&self) -> u64 {
        self.raw_bytes
    }

    /// Ends the stream and makes the file durable.
    ///
    /// # Errors
    /// Those of write and fsync; a stream of zstd that has no end.
    pub fn finish(self) -> io::Result<Finished> {
        let hashing = match self.way {
            Way::Encode(encoder) => encoder.finish()?,
            Way::Packed(hashing, measure) => {
                measure.finish()?;
                hashing
            }
        };
        let (file, sha256, bytes) = hashing.finish();
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
        self.put(bytes, &mut |_| {}).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.way {
            Way::Encode(encoder) => encoder.flush(),
            Way::Packed(hashing, _) => hashing.flush(),
        }
    }
}

fn create(dir: &Path, name: &str) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(dir.join(name))
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

    #[test]
    fn a_stream_of_zstd_is_stored_as_it_is_and_must_be_whole() {
        let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 5) as u8).collect();
        let packed = zstd::encode_all(content.as_slice(), 3).unwrap();
        let store = |stream: &[u8]| {
            let dir = tempfile::tempdir().unwrap();
            let mut stored = Stored::create_packed(dir.path(), "dump")?;
            for piece in stream.chunks(1000) {
                stored.write_all(piece)?;
            }
            let finished = stored.finish()?;
            let path = dir.path().join(&finished.object.name);
            io::Result::Ok((finished, fs::read(path).unwrap()))
        };
        let (finished, bytes) = store(&packed).unwrap();
        assert!(bytes == packed);
        assert_eq!(finished.object.name, "dump.zst");
        assert_eq!(finished.object.sha256, Digest::of(&packed).to_string());
        assert_eq!(finished.raw_bytes, content.len() as u64);

        let (twice, _) = store(&[packed.clone(), packed.clone()].concat()).unwrap();
        assert_eq!(twice.raw_bytes, 2 * content.len() as u64);
        assert!(store(&packed[..packed.len() - 1]).is_err(), "cut");
        assert!(store(&[]).is_err(), "empty");
        assert!(store(b"PGDMP is no zstd").is_err());
    }
}
