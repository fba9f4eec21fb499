//! What images and the build cache take on disk, as `docker system df` counts it.
//!
//! Asked without bollard, which understands only the answers of engines from 29 on.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::head::Head;
use crate::{Docker, Error};

/// Old engines also measure every volume on the way.
const LIMIT: Duration = Duration::from_secs(300);

/// The last version of the API whose answer has this shape.
const NEWEST: (usize, usize) = (1, 51);

/// What errors speak of.
const OBJECT: &str = "disk usage";

/// What is on the disk of the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Usage {
    /// The size of all layers of all images, each counted once.
    #[serde(rename = "LayersSize", default)]
    pub layers_bytes: u64,
    /// The build cache.
    #[serde(default, deserialize_with = "or_null")]
    pub build_cache: Vec<CacheRecord>,
}

/// A step that a build can take from the cache.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CacheRecord {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The records it is built on.
    #[serde(default, alias = "Parent", deserialize_with = "one_or_more")]
    pub parents: Vec<String>,
    /// What the step did.
    #[serde(default)]
    pub description: String,
    /// `regular`, `source.local`, `exec.cachemount`, `frontend`, `internal`, …
    #[serde(rename = "Type", default)]
    pub kind: String,
    /// Whether a build needs it now.
    #[serde(default)]
    pub in_use: bool,
    /// Whether an image holds its bytes too.
    #[serde(default)]
    pub shared: bool,
    /// Its size.
    #[serde(rename = "Size", default)]
    pub size_bytes: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a build last used it; `None` when only the build that made it did.
    #[serde(default)]
    pub last_used_at: Option<DateTime<Utc>>,
}

impl Docker {
    /// Measures what images and the build cache take.
    ///
    /// # Errors
    /// Those of the engine; [`Error::Timeout`] also when another keeps it measuring.
    pub fn usage(&self) -> Result<Usage, Error> {
        let start = Instant::now();
        loop {
            match self.ask_usage() {
                // Old engines measure for one at a time.
                Err(Error::Refused { message, .. }) if message.contains("already running") => {
                    if start.elapsed() > LIMIT {
                        return Err(timeout());
                    }
                    thread::sleep(Duration::from_millis(100));
                }
                result => return result,
            }
        }
    }

    fn ask_usage(&self) -> Result<Usage, Error> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::WouldBlock => timeout(),
            _ => Error::Unreachable {
                socket: self.socket().to_owned(),
                source: source.into(),
            },
        };
        let version = self.client().client_version();
        let (major, minor) = NEWEST.min((version.major_version, version.minor_version));
        let mut socket = UnixStream::connect(self.socket()).map_err(failed)?;
        socket.set_read_timeout(Some(LIMIT)).map_err(failed)?;
        // Of 1.0, so that the answer comes whole and not in chunks.
        let request = format!(
            "GET /v{major}.{minor}/system/df?type=image&type=build-cache HTTP/1.0\r\n\
             Host: docker\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).map_err(failed)?;
        let head = Head::read(&mut socket).map_err(failed)?;
        let mut body = Vec::new();
        socket.read_to_end(&mut body).map_err(failed)?;
        if head.status != 200 {
            return Err(head.refusal(OBJECT, &body));
        }
        serde_json::from_slice(&body).map_err(|source| Error::Answer {
            object: OBJECT.to_owned(),
            source: source.into(),
        })
    }
}

fn timeout() -> Error {
    Error::Timeout {
        object: OBJECT.to_owned(),
        limit: LIMIT,
    }
}

/// Engines write an empty list as `null`.
fn or_null<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Old engines know of one parent, and write none as an empty text.
fn one_or_more<'de, D>(deserializer: D) -> Result<Vec<String>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ids {
        One(String),
        More(Vec<String>),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Ids::One(id)) if !id.is_empty() => vec![id],
        Some(Ids::More(ids)) => ids,
        Some(Ids::One(_)) | None => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::{CacheRecord, Usage};

    #[test]
    fn the_answers_of_old_and_newer_engines_are_understood() {
        let old = r#"{"LayersSize":7,"Images":[],"Containers":[],"Volumes":[],"BuildCache":null,
            "BuilderSize":0}"#;
        let usage: Usage = serde_json::from_str(old).unwrap();
        assert_eq!((usage.layers_bytes, usage.build_cache.len()), (7, 0));
        let newer = r#"{"LayersSize":0,"BuildCache":[{"ID":"x1","Parents":["x0"],"Type":"regular",
            "Description":"RUN true","InUse":false,"Shared":false,"Size":51,
            "CreatedAt":"2026-11-23T02:00:00.123456789Z","LastUsedAt":null,"UsageCount":1}]}"#;
        let usage: Usage = serde_json::from_str(newer).unwrap();
        let record = &usage.build_cache[0];
        assert_eq!((record.id.as_str(), record.size_bytes), ("x1", 51));
        assert_eq!(record.last_used_at, None);
        assert_eq!(record.parents, ["x0"]);
        let record = r#"{"ID":"x1","Parent":"x0","CreatedAt":"2026-11-23T02:00:00Z"}"#;
        let record: CacheRecord = serde_json::from_str(record).unwrap();
        assert_eq!(record.parents, ["x0"]);
    }
}
