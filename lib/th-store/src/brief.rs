//! What a list needs of a manifest, read without building the rest of it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use th_archive::Digest;
use th_record::{FORMAT, Id, Object, Status, Tag};

use crate::dir::{DirStore, read};
use crate::manifest::{self, is_pack_name};
use crate::sums;

/// A manifest whose bytes are those of SHA256SUMS, which were checked when they were written.
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
}

impl DirStore {
    /// Reads the manifest of the set `id`, which lies in `dir`, and returns its hash with it.
    /// `None` when anything is not as it should be: [`DirStore::load_from`] tells what.
    pub(crate) fn brief(&self, dir: &std::path::Path, id: &Id) -> Option<(Brief, Digest)> {
        if !dir.symlink_metadata().ok()?.is_dir() {
            return None;
        }
        let bytes = read(&dir.join(manifest::NAME)).ok()?;
        let brief: Brief = serde_json::from_slice(&bytes).ok()?;
        let digest = Digest::of(&bytes);
        let sums = read(&dir.join(sums::NAME)).ok()?;
        let whole = brief.format == FORMAT
            && brief.id == id.as_str()
            && brief.packs().iter().all(|pack| is_pack_name(&pack.name))
            && sums == sums::text(&brief.objects, digest).as_bytes();
        whole.then_some((brief, digest))
    }
}
