//! The head of an answer of the engine, where bollard is not in between.

use std::io::{self, Read};

use crate::Error;

/// No head of an answer, and no reason of a refusal, is longer.
pub(crate) const LIMIT: usize = 16 * 1024;

/// The head of the engine's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) length: usize,
}

impl Head {
    /// Reads to the end of the head and not one byte further: a stream follows.
    pub(crate) fn read(socket: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte)?;
            head.extend(byte);
            if head.len() > LIMIT {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        let head = String::from_utf8_lossy(&head);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok());
        match status {
            Some(status) => Ok(Self {
                status,
                length: length.unwrap_or_default(),
            }),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    pub(crate) fn refusal(&self, object: &str, body: &[u8]) -> Error {
        let object = object.to_owned();
        let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let message = json.as_ref().and_then(|json| json.get("message")?.as_str());
        match self.status {
            404 => Error::NotFound(object),
            status => Error::Refused {
                object,
                status,
                message: message.unwrap_or("no reason given").to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Head};

    #[test]
    fn not_a_byte_after_the_head_is_taken() {
        let mut answer = &b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\x01\0"[..];
        assert_eq!(
            Head::read(&mut answer).unwrap(),
            Head {
                status: 101,
                length: 0
            }
        );
        assert_eq!(answer, b"\x01\0");
    }

    #[test]
    fn a_refusal_says_why() {
        let answer = "HTTP/1.1 409 Conflict\r\nContent-length: 27\r\n\r\n";
        let head = Head::read(&mut answer.as_bytes()).unwrap();
        assert_eq!(
            head,
            Head {
                status: 409,
                length: 27
            }
        );
        let error = head.refusal("db", br#"{"message":"it is paused"}"#);
        assert!(matches!(error, Error::Refused { message, .. } if message == "it is paused"));
    }
}
