//! An HTTP/1.1 answer, read to its end.

use std::io::{self, BufRead, Read};

use th_record::kind::Slot;

/// More than a probe's answer ever has.
const LIMIT: u64 = 1 << 20;

/// The header by which an answer tells its slot.
const SLOT: &str = "x-th-slot";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The slot that it names.
    pub(crate) slot: Option<Slot>,
    /// What came after the headers.
    pub(crate) body: Vec<u8>,
    /// Whether the server keeps the connection.
    pub(super) keep: bool,
}

impl Answer {
    /// Tells whether the status is 2xx.
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads the answer to one request.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let first = line(from)?;
        let status = first
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5)?.parse().ok())
            .ok_or_else(|| invalid(format!("'{}' is not HTTP", first.escape_debug())))?;
        let mut answer = Self {
            status,
            slot: None,
            body: Vec::new(),
            keep: first.starts_with("HTTP/1.1"),
        };
        let (mut length, mut chunked) = (None, false);
        loop {
            let header = line(from)?;
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else {
                return Err(invalid(format!("'{}' is no header", header.escape_debug())));
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok(),
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => answer.keep &= !value.eq_ignore_ascii_case("close"),
                SLOT => answer.slot = Slot::named(value),
                _ => {}
            }
        }
        match (chunked, length) {
            (true, _) => while chunk(from, &mut answer.body)? {},
            (false, Some(length)) => exactly(from, length, &mut answer.body)?,
            (false, None) if status == 204 || status == 304 => {}
            (false, None) => {
                answer.keep = false;
                from.take(LIMIT).read_to_end(&mut answer.body)?;
            }
        }
        Ok(answer)
    }
}

/// Reads a line without its end. The end of the stream is an error: every line has its end.
fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(LIMIT).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Reads a chunk; tells whether there are more.
fn chunk(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let head = line(from)?;
    let size = head.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(size, 16)
        .map_err(|_| invalid(format!("'{}' is no chunk", head.escape_debug())))?;
    exactly(from, size, body)?;
    // The chunk's own end; after the last one, the end of the trailers, of which there are none.
    line(from)?;
    Ok(size > 0)
}

fn exactly(from: &mut impl BufRead, size: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if size > LIMIT {
        return Err(invalid(format!("{size} bytes are too many for a probe")));
    }
    if from.take(size).read_to_end(body)? as u64 == size {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Answer> {
        Answer::read(&mut text.as_bytes())
    }

    #[test]
    fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        let length = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Th-Slot: green\r\n\r\nokX");
        let length = length.unwrap();
        assert_eq!((length.status, length.body.as_slice()), (200, &b"ok"[..]));
        assert_eq!((length.slot, length.keep), (Some(Slot::Green), true));
        let chunked = "HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nno\r\n0\r\n\r\n";
        let chunked = read(chunked).unwrap();
        assert_eq!(
            (chunked.is_good(), chunked.body.as_slice()),
            (false, &b"no"[..])
        );
        assert!(!chunked.keep);
        let open = read("HTTP/1.0 200 OK\r\n\r\nall").unwrap();
        assert_eq!((open.body.as_slice(), open.keep), (&b"all"[..], false));
    }

    #[test]
    fn what_was_cut_off_is_no_answer() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "SSH-2.0-x\r\n\r\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
