//! proof.json: what has been proven of a set, sealed so that damage shows.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use th_archive::Digest;
use th_archive::atomic::AtomicFile;
use th_record::{Id, Level, Proof, Reached};

use crate::Error;
use crate::dir::{DirStore, make_dir, read};

/// The name of the file.
pub(crate) const NAME: &str = "proof.json";

/// The file: the body and the hash of the body's bytes as they stand in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed<'a> {
    sha256: Digest,
    #[serde(borrow)]
    body: &'a RawValue,
}

fn seal(body: &RawValue) -> serde_json::Result<String> {
    let sha256 = Digest::of(body.get().as_bytes());
    Ok(serde_json::to_string(&Sealed { sha256, body })? + "\n")
}

/// Reads a sealed proof, which must be one of the set `id` and of the manifest with that hash.
fn unseal(text: &str, id: &Id, manifest_sha256: Digest) -> Result<Proof, String> {
    let damaged = |error: serde_json::Error| format!("it is damaged: {error}");
    let sealed: Sealed<'_> = serde_json::from_str(text).map_err(damaged)?;
    if seal(sealed.body).map_err(damaged)? != text {
        return Err("it is damaged: its hash is wrong".into());
    }
    let proof: Proof = serde_json::from_str(sealed.body.get()).map_err(damaged)?;
    if proof.set != *id || proof.manifest_sha256 != manifest_sha256.to_string() {
        return Err("it is of another manifest".into());
    }
    Ok(proof)
}

impl DirStore {
    pub(crate) fn proof(&self, id: &Id) -> Result<Option<Proof>, Error> {
        let (manifest, manifest_sha256) = self.load(id)?;
        let packs = manifest.files.map_or_else(Vec::new, |files| files.packs);
        self.check_undamaged(&packs, &self.damaged()?)?;
        self.proof_of(id, manifest_sha256)
    }

    /// Returns the proof of a set whose manifest has been loaded.
    pub(crate) fn proof_of(
        &self,
        id: &Id,
        manifest_sha256: Digest,
    ) -> Result<Option<Proof>, Error> {
        self.proof_in(&self.set_dir(id), id, manifest_sha256)
    }

    /// As [`DirStore::proof_of`], of the set that lies in `dir`.
    pub(crate) fn proof_in(
        &self,
        dir: &Path,
        id: &Id,
        manifest_sha256: Digest,
    ) -> Result<Option<Proof>, Error> {
        let path = dir.join(NAME);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&path)(error)),
        };
        String::from_utf8(bytes)
            .map_err(|error| format!("it is damaged: {error}"))
            .and_then(|text| unseal(&text, id, manifest_sha256))
            .map(Some)
            .map_err(|reason| Error::Proof {
                set: id.clone(),
                reason,
            })
    }

    pub(crate) fn record_proof(&self, id: &Id, levels: Vec<Reached>) -> Result<Proof, Error> {
        let (_, manifest_sha256) = self.load(id)?;
        let known = match self.proof_of(id, manifest_sha256) {
            Err(Error::Proof { .. }) => None,
            known => known?,
        };
        let mut proof = known.unwrap_or_else(|| Proof {
            set: id.clone(),
            manifest_sha256: manifest_sha256.to_string(),
            levels: Vec::new(),
        });
        for reached in levels {
            proof.reach(reached);
        }
        self.write_proof(&proof)?;
        Ok(proof)
    }

    pub(crate) fn void_proof(&self, id: &Id, from: Level) -> Result<bool, Error> {
        let (_, manifest_sha256) = self.load(id)?;
        let mut proof = match self.proof_of(id, manifest_sha256) {
            // A void one says nothing.
            Ok(None) | Err(Error::Proof { .. }) => return Ok(false),
            Ok(Some(proof)) => proof,
            Err(error) => return Err(error),
        };
        let before = proof.levels.len();
        proof.levels.retain(|reached| reached.level < from);
        if proof.levels.len() == before {
            return Ok(false);
        }
        self.write_proof(&proof)?;
        Ok(true)
    }

    fn write_proof(&self, proof: &Proof) -> Result<(), Error> {
        // A copy of a store may lack what was empty.
        make_dir(&self.incoming_dir())?;
        let path = self.set_dir(&proof.set).join(NAME);
        serde_json::value::to_raw_value(proof)
            .and_then(|body| seal(&body))
            .map_err(io::Error::from)
            .and_then(|text| {
                // There a sweeper need not look into every set for what is half written.
                let mut file = AtomicFile::create_in(&self.incoming_dir(), &path)?;
                file.write_all(text.as_bytes())?;
                file.commit()
            })
            .map_err(Error::io(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (String, Id, Digest) {
        let id: Id = "20261123T020000Z-7f3a".parse().unwrap();
        let manifest = Digest::of(b"manifest");
        let proof = Proof {
            set: id.clone(),
            manifest_sha256: manifest.to_string(),
            levels: vec![Reached {
                level: th_record::Level::Restore,
                at: "2026-11-23T02:01:00Z".parse().unwrap(),
                tool: "th-backup".into(),
                version: "0.1.0".into(),
                duration_seconds: 1.25,
            }],
        };
        let body = serde_json::value::to_raw_value(&proof).unwrap();
        (seal(&body).unwrap(), id, manifest)
    }

    #[test]
    fn a_proof_is_of_one_manifest_of_one_set() {
        let (text, id, manifest) = sealed();
        assert_eq!(unseal(&text, &id, manifest).unwrap().levels.len(), 1);
        assert!(unseal(&text, &id, Digest::of(b"other")).is_err());
        let other = "20261123T020000Z-0000".parse().unwrap();
        assert!(unseal(&text, &other, manifest).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_shows() {
        let (text, id, manifest) = sealed();
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(unseal(&text, &id, manifest).is_err(), "bit {bit}");
            }
        }
        for end in 0..text.len() {
            assert!(unseal(&text[..end], &id, manifest).is_err(), "cut at {end}");
        }
    }
}
