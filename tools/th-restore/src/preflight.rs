//! What must hold before a restore touches anything.

use std::path::Path;

use th_archive::Exclude;
use th_postgres::{LONGEST_NAME, Role, Server};
use th_record::kind::Space;
use th_record::{Id, Manifest};
use th_store::Store;

use crate::Error;

/// Names the database `live` as another, for the restore `id`: `tracehub_before_20261123T…`.
pub(crate) fn beside(live: &str, role: Role, id: &Id) -> Result<String, Error> {
    let name = role.name(live, id);
    if name.len() > LONGEST_NAME {
        Err(Error::LongName(live.to_owned()))
    } else {
        Ok(name)
    }
}

/// Checks that the server can hold the set's database: version, roles, extensions; and is served by
/// a `pg_restore` that fits.
pub(crate) fn check_server(server: &Server, manifest: &Manifest) -> Result<(), Error> {
    Ok(th_proof::check_fits(server, manifest)?)
}

/// Returns the space that the restore needs: for the database, for what is spooled, for the files.
pub(crate) fn spaces(
    server: Option<&Server>,
    manifest: &Manifest,
    store: &Store,
    files: Option<(&Path, &Exclude)>,
) -> Result<Vec<Space>, Error> {
    let mut spaces = match server {
        Some(server) => th_proof::spaces(server, manifest, store)?,
        None => Vec::new(),
    };
    if let (Some((root, exclude)), Some(files)) = (files, &manifest.files) {
        // What is there already is not written again, but that is known only after comparing.
        let there = th_archive::total_bytes(root, exclude).unwrap_or(0);
        spaces.push(space(root, files.total_bytes.saturating_sub(there)));
    }
    Ok(spaces)
}

/// Refuses when one of the spaces is known to be too small.
pub(crate) fn check_spaces(spaces: &[Space]) -> Result<(), Error> {
    Ok(th_proof::check_spaces(spaces)?)
}

fn space(path: &Path, needed_bytes: u64) -> Space {
    Space {
        path: path.to_string_lossy().into_owned(),
        needed_bytes,
        free_bytes: th_store::free_bytes(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_cut_off_are_refused() {
        let id = "20261123T020000Z-7f3a".parse().unwrap();
        assert_eq!(
            beside("app", Role::Before, &id).unwrap(),
            "app_before_20261123T020000Z-7f3a"
        );
        assert!(beside(&"x".repeat(33), Role::Restore, &id).is_ok());
        assert!(matches!(
            beside(&"x".repeat(34), Role::Restore, &id),
            Err(Error::LongName(_))
        ));
    }
}
