//! What flows out of a running exec: frames of stdout and stderr on one connection.

use std::io::{self, BufRead, BufReader, Read};

use crate::tail::Tail;

/// The engine sends frames of up to 32 KiB; this takes several with one system call.
const BUFFER: usize = 256 * 1024;
/// How much of stderr is kept.
const STDERR: usize = 64 * 1024;
/// How much of the start of stdout is kept: the engine itself speaks there when a program cannot
/// be started.
const OPENING: usize = 512;

/// Splits frames into stdout, which is read, and stderr, whose end is kept.
#[derive(Debug)]
pub(crate) struct Frames<R: Read> {
    reader: BufReader<R>,
    /// What is left of the present frame of stdout.
    left: usize,
    opening: Vec<u8>,
    stderr: Tail,
    end: Option<Result<(), io::ErrorKind>>,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(connection: R) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, connection),
            left: 0,
            opening: Vec::new(),
            stderr: Tail::new(STDERR),
            end: None,
        }
    }

    /// Gives up the rest of the stream. Returns false if it had ended before.
    pub(crate) fn abandon(&mut self) -> bool {
        let flowing = self.end.is_none();
        self.end.get_or_insert(Err(io::ErrorKind::BrokenPipe));
        flowing
    }

    /// Returns the end of stderr, or what stdout began with when stderr is empty.
    pub(crate) fn last_words(&self) -> String {
        let stderr = self.stderr.text();
        if stderr.is_empty() {
            String::from_utf8_lossy(&self.opening).trim().to_owned()
        } else {
            stderr
        }
    }

    /// Returns the end of stderr.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Begins a frame of stdout unless one has begun. Returns false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        while self.left == 0 {
            match self.reader.fill_buf() {
                Ok([]) => return Ok(false),
                // How a unix socket ends when its peer had not read all of our stdin.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(false),
                result => result?,
            };
            let mut header = [0; 8];
            self.reader.read_exact(&mut header)?;
            let [stream, 0, 0, 0, length @ ..] = header else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            let length = u32::from_be_bytes(length) as usize;
            match stream {
                1 => self.left = length,
                2 => self.keep(length)?,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Ok(true)
    }

    fn keep(&mut self, mut length: usize) -> io::Result<()> {
        while length > 0 {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = bytes.len().min(length);
            self.stderr.add(&bytes[..count]);
            self.reader.consume(count);
            length -= count;
        }
        Ok(())
    }

    fn flow(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.begin()? {
            return Ok(0);
        }
        let most = self.left.min(buffer.len());
        let count = self.reader.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        let room = OPENING - self.opening.len();
        self.opening.extend_from_slice(&buffer[..count.min(room)]);
        Ok(count)
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.end {
            Some(Ok(())) => return Ok(0),
            Some(Err(kind)) => return Err(kind.into()),
            None if buffer.is_empty() => return Ok(0),
            None => {}
        }
        let result = self.flow(buffer);
        match &result {
            Ok(0) => self.end = Some(Ok(())),
            Ok(_) => {}
            Err(error) => self.end = Some(Err(error.kind())),
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::Frames;

    fn frame(stream: u8, bytes: &[u8]) -> Vec<u8> {
        let mut frame = vec![stream, 0, 0, 0];
        frame.extend((bytes.len() as u32).to_be_bytes());
        frame.extend(bytes);
        frame
    }

    fn read(bytes: &[u8]) -> (io::Result<Vec<u8>>, Frames<&[u8]>) {
        let mut frames = Frames::new(bytes);
        let mut out = Vec::new();
        let result = frames.read_to_end(&mut out).map(|_| out);
        (result, frames)
    }

    #[test]
    fn stdout_is_read_and_stderr_is_kept() {
        let bytes = [
            frame(1, b"one "),
            frame(2, b"careful\n"),
            frame(1, b""),
            frame(1, &[0, 1, 2, 255]),
        ]
        .concat();
        let (out, frames) = read(&bytes);
        assert_eq!(out.unwrap(), b"one \x00\x01\x02\xff");
        assert_eq!(frames.stderr(), "careful");
        assert_eq!(frames.end, Some(Ok(())));
    }

    #[test]
    fn a_cut_anywhere_inside_a_frame_is_an_error() {
        for bytes in [frame(1, b"stdout"), frame(2, b"stderr")] {
            for cut in 1..bytes.len() {
                let (result, mut frames) = read(&bytes[..cut]);
                let eof = io::ErrorKind::UnexpectedEof;
                assert_eq!(result.unwrap_err().kind(), eof, "cut at {cut}");
                assert_eq!(
                    frames.read(&mut [0]).unwrap_err().kind(),
                    eof,
                    "it stays broken"
                );
            }
        }
    }

    #[test]
    fn bytes_that_are_no_frame_are_an_error() {
        for bytes in [
            &b"OCI runtime exec failed"[..],
            &[3, 0, 0, 0, 0, 0, 0, 0],
            &[1, 9, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(
                read(bytes).0.unwrap_err().kind(),
                io::ErrorKind::InvalidData
            );
        }
    }
}
