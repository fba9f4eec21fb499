//! The JSON form of an entry. Names that are not UTF-8 are written as hex digits, in a field whose
//! name says so.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde::{Deserialize, Serialize};

use super::{Content, Entry, Kind, Meta};
use crate::hash::{hex, unhex};
use crate::path::BadPath;
use crate::{Digest, EntryPath, Timestamp};

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindName {
    File,
    Dir,
    Symlink,
}

/// A line of the listing. The order of its fields is that of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<Cow<'a, str>>,
    kind: KindName,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    uid: u32,
    gid: u32,
    mtime: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctime: Option<Timestamp>,
    inode: u64,
    dev: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pack: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_hex: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_hex: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unstable: bool,
}

/// A line has the right fields but they do not fit together.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadLine {
    #[error(transparent)]
    Path(#[from] BadPath),
    #[error("'{0}' is not exactly one of a name and its hex digits")]
    Name(&'static str),
    #[error("the mode '{0}' is not four octal digits")]
    Mode(String),
    #[error("the fields are not those of its kind")]
    Fields,
}

type Text<'a> = Option<Cow<'a, str>>;

/// Returns the pair of fields that a name is written as.
fn text(name: &OsStr) -> (Text<'_>, Text<'_>) {
    match name.to_str() {
        Some(name) => (Some(name.into()), None),
        None => (None, Some(hex(name.as_bytes()).into())),
    }
}

/// Returns the name that a pair of fields stands for; `None` when both are missing.
fn name(
    field: &'static str,
    text: Text<'_>,
    digits: Text<'_>,
) -> Result<Option<OsString>, BadLine> {
    match (text, digits) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(text.into_owned().into())),
        // Hex digits of what is UTF-8 would be a second spelling of the same name.
        (None, Some(digits)) => match unhex(&digits).map(String::from_utf8) {
            Some(Err(error)) => Ok(Some(OsString::from_vec(error.into_bytes()))),
            _ => Err(BadLine::Name(field)),
        },
        (Some(_), Some(_)) => Err(BadLine::Name(field)),
    }
}

impl<'a> From<&'a Entry> for Line<'a> {
    fn from(entry: &'a Entry) -> Self {
        let Entry { path, meta, kind } = entry;
        let (path, path_hex) = text(path.as_path().as_os_str());
        let mut line = Line {
            path,
            path_hex,
            kind: KindName::Dir,
            size: None,
            mode: format!("{:04o}", meta.mode).into(),
            uid: meta.uid,
            gid: meta.gid,
            mtime: meta.mtime,
            ctime: meta.ctime,
            inode: meta.inode,
            dev: meta.dev,
            sha256: None,
            pack: None,
            member: None,
            member_hex: None,
            target: None,
            target_hex: None,
            unstable: false,
        };
        match kind {
            Kind::File(content) => {
                line.kind = KindName::File;
                line.size = Some(content.size);
                line.sha256 = Some(content.sha256);
                line.pack = Some(content.pack.as_str().into());
                line.unstable = content.unstable;
                if let Some(member) = &content.member {
                    (line.member, line.member_hex) = text(member.as_path().as_os_str());
                }
            }
            Kind::Dir => {}
            Kind::Symlink(target) => {
                line.kind = KindName::Symlink;
                (line.target, line.target_hex) = text(target);
            }
        }
        line
    }
}

impl TryFrom<Line<'_>> for Entry {
    type Error = BadLine;

    fn try_from(line: Line<'_>) -> Result<Self, BadLine> {
        let path = name("path", line.path, line.path_hex)?.ok_or(BadLine::Name("path"))?;
        let path = EntryPath::new(path)?;
        let member = name("member", line.member, line.member_hex)?
            .map(EntryPath::new)
            .transpose()?;
        let target = name("target", line.target, line.target_hex)?;
        let kind = match (line.kind, line.size, line.sha256, line.pack, member, target) {
            // A member that is the path would be a second spelling of the same entry.
            (KindName::File, Some(size), Some(sha256), Some(pack), member, None)
                if member.as_ref() != Some(&path) =>
            {
                Kind::File(Content {
                    size,
                    sha256,
                    pack: pack.into_owned(),
                    member,
                    unstable: line.unstable,
                })
            }
            (KindName::Dir, None, None, None, None, None) if !line.unstable => Kind::Dir,
            (KindName::Symlink, None, None, None, None, Some(target)) if !line.unstable => {
                Kind::Symlink(target)
            }
            _ => return Err(BadLine::Fields),
        };
        let mode = u32::from_str_radix(&line.mode, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777 && format!("{mode:04o}") == line.mode)
            .ok_or_else(|| BadLine::Mode(line.mode.into_owned()))?;
        Ok(Self {
            path,
            meta: Meta {
                mode,
                uid: line.uid,
                gid: line.gid,
                mtime: line.mtime,
                ctime: line.ctime,
                inode: line.inode,
                dev: line.dev,
            },
            kind,
        })
    }
}
