//! How objects are compressed. The name of a compressed object ends in the method's extension.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::str::FromStr;
use std::thread::available_parallelism;

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::CParameter;

use crate::hash::CHUNK;

/// A compression method and its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard, on as many threads as there are processors, two at the most.
    Zstd {
        /// 1 to 19. Above 9 the encoder needs some hundred megabytes of memory.
        level: i32,
    },
    /// Gzip.
    Gzip {
        /// 1 to 9.
        level: u32,
    },
    /// Stored as it is.
    None,
}

/// The text is not a compression method.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a compression: use zstd:1 to zstd:19, gzip:1 to gzip:9, or none")]
pub struct BadCompression(String);

impl Compression {
    /// Returns what the names of its objects end in, without the dot; empty for none.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Zstd { .. } => "zst",
            Self::Gzip { .. } => "gz",
            Self::None => "",
        }
    }

    /// Returns the name of the object `stem`: `db.dump` is stored as `db.dump.zst`.
    pub fn name(self, stem: &str) -> String {
        match self.extension() {
            "" => stem.to_owned(),
            extension => format!("{stem}.{extension}"),
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd { level: 3 }
    }
}

impl FromStr for Compression {
    type Err = BadCompression;

    fn from_str(text: &str) -> Result<Self, BadCompression> {
        let bad = || BadCompression(text.to_owned());
        if text == "none" {
            return Ok(Self::None);
        }
        let (method, level) = text.split_once(':').ok_or_else(bad)?;
        let level: u32 = level.parse().map_err(|_| bad())?;
        match (method, level) {
            ("zstd", 1..=19) => Ok(Self::Zstd {
                level: level.cast_signed(),
            }),
            ("gzip", 1..=9) => Ok(Self::Gzip { level }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd { level } => write!(f, "zstd:{level}"),
            Self::Gzip { level } => write!(f, "gzip:{level}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// Compresses what is written to it.
pub(crate) enum Encoder<W: Write> {
    Zstd(zstd::Encoder<'static, W>),
    Gzip(GzEncoder<W>),
    None(W),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(writer: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Zstd { level } => {
                let mut encoder = zstd::Encoder::new(writer, level)?;
                encoder.include_checksum(true)?;
                // Two threads compress faster than one pg_dump or one disk delivers. What each holds
                // of data that does not compress grows with the size of a job.
                let threads = available_parallelism().map_or(1, |n| n.get().min(2));
                encoder.multithread(threads as u32)?;
                encoder.set_parameter(CParameter::WindowLog(21))?;
                encoder.set_parameter(CParameter::JobSize(4 << 20))?;
                Self::Zstd(encoder)
            }
            Compression::Gzip { level } => {
                Self::Gzip(GzEncoder::new(writer, flate2::Compression::new(level)))
            }
            Compression::None => Self::None(writer),
        })
    }

    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::None(writer) => Ok(writer),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::None(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::None(writer) => writer.flush(),
        }
    }
}

/// What a stream of zstd begins with (RFC 8878, section 3.1.1).
pub const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Decompresses a stream of zstd to look at it.
pub(crate) struct Measure {
    decoder: Decoder<'static>,
    buffer: Vec<u8>,
    /// Whether it is between two frames.
    whole: bool,
}

impl Measure {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            decoder: Decoder::new()?,
            buffer: vec![0; CHUNK],
            whole: false,
        })
    }

    /// Takes the next bytes of the stream, and shows what they are when decompressed.
    pub(crate) fn pass(&mut self, bytes: &[u8], on_raw: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut input = InBuffer::around(bytes);
        loop {
            let mut output = OutBuffer::around(&mut self.buffer);
            self.whole = self.decoder.run(&mut input, &mut output)? == 0;
            let full = output.pos() == output.capacity();
            on_raw(output.as_slice());
            // A full buffer may have left something inside.
            if input.pos() == bytes.len() && (self.whole || !full) {
                return Ok(());
            }
        }
    }

    pub(crate) fn finish(&self) -> io::Result<()> {
        if self.whole {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Opens the object at `path` and returns a reader of what it held before compression. The method
/// is known by the extension; a file without one of ours is read as it is.
///
/// # Errors
/// Those of open; the reader fails on a stream that is cut short or damaged.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    Ok(match path.extension().and_then(|e| e.to_str()) {
        Some("zst") => Box::new(zstd::Decoder::new(file)?),
        Some("gz") => Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, file))),
        _ => Box::new(file),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back() {
        for text in ["zstd:1", "zstd:19", "gzip:6", "none"] {
            assert_eq!(text.parse::<Compression>().unwrap().to_string(), text);
        }
        for bad in [
            "", "zstd", "zstd:0", "zstd:20", "zstd:-1", "gzip:10", "lz4:1", "none:1",
        ] {
            assert!(bad.parse::<Compression>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_end_in_the_extension() {
        assert_eq!(Compression::default().name("db.dump"), "db.dump.zst");
        assert_eq!(Compression::None.name("db.dump"), "db.dump");
    }
}
