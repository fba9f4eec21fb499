//! What a list needs of a manifest, read without building the rest of it.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use th_archive::Digest;
use th_record::{FORMAT, Id, Object, Status, Tag};

use crate::dir::{DirStore, read};
use crate::manifest::{self, is_pack_name};
use crate::sums;

/// A manifest whose bytes are those that were written, which were checked then.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Brief {
    format: u32,
    id: String,
    #[serde(rename = "app")]
    _app: IgnoredAny,
    pub(crate) environment: Option<String>,
    #[serde(rename = "method")]
    _method: IgnoredAny,
    pub(crate) started_at: chrono::DateTime<chrono::Utc>,
    #[serde(rename = "finished_at")]
    _finished_at: IgnoredAny,
    #[serde(rename = "duration_seconds")]
    _duration_seconds: IgnoredAny,
    #[serde(rename = "writer")]
    _writer: IgnoredAny,
    pub(crate) status: Status,
    pub(crate) pinned: bool,
    pub(crate) tags: Vec<Tag>,
    pub(crate) database: Option<Database>,
    pub(crate) files: Option<Files>,
    #[serde(rename = "config")]
    _config: IgnoredAny,
    #[serde(rename = "references")]
    _references: IgnoredAny,
    pub(crate) objects: Vec<Object>,
    #[serde(rename = "previous")]
    _previous: IgnoredAny,
}

#[derive(Deserialize)]
pub(crate) struct Database {
    pub(crate) name: String,
    fingerprint: Fingerprint,
}

#[derive(Deserialize)]
struct Fingerprint {
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    rows: u64,
}

#[derive(Deserialize)]
pub(crate) struct Files {
    pub(crate) count: u64,
    pub(crate) packs: Vec<Object>,
}

impl Database {
    /// Returns how many rows the tables hold.
    pub(crate) fn rows(&self) -> u64 {
        self.fingerprint.tables.iter().map(|table| table.rows).sum()
    }
}

impl Brief {
    /// Returns the packs that the set needs.
    pub(crate) fn packs(&self) -> &[Object] {
        self.files.as_ref().map_or(&[], |files| &files.packs)
    }

    /// Returns what [`th_record::Manifest::stored_bytes`] does.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let objects = self.objects.iter().chain(self.packs());
        objects.map(|object| object.bytes).sum()
    }

    /// Tells whether SHA256SUMS in `dir` is that of this manifest, whose hash is `digest`.
    pub(crate) fn is_in_sums(&self, dir: &Path, digest: Digest) -> bool {
        let sums = read(&dir.join(sums::NAME));
        sums.is_ok_and(|sums| sums == sums::text(&self.objects, digest).as_bytes())
    }
}

impl DirStore {
    /// Reads the manifest of the set `id`, which lies in `dir`, and returns its hash with it.
    /// `None` when anything is not as it should be: [`DirStore::load_from`] tells what.
    pub(crate) fn brief(&self, dir: &Path, id: &Id) -> Option<(Brief, Digest)> {
        let (brief, digest) = self.brief_unchecked(dir, id)?;
        let proof = self.proof_in(dir, id, digest);
        let whole = matches!(proof, Ok(Some(_))) || brief.is_in_sums(dir, digest);
        whole.then_some((brief, digest))
    }

    /// As [`DirStore::brief`], but does not know whether the bytes are those that were written.
    pub(crate) fn brief_unchecked(&self, dir: &Path, id: &Id) -> Option<(Brief, Digest)> {
        if !dir.symlink_metadata().ok()?.is_dir() {
            return None;
        }
        let bytes = read(&dir.join(manifest::NAME)).ok()?;
        let brief: Brief = serde_json::from_slice(&bytes).ok()?;
        let good = brief.format == FORMAT
            && brief.id == id.as_str()
            && brief.packs().iter().all(|pack| is_pack_name(&pack.name));
        good.then(|| (brief, Digest::of(&bytes)))
    }
}
