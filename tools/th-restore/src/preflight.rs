//! What must hold before a restore touches anything.

use std::path::Path;

use th_archive::Exclude;
use th_cli::human_bytes;
use th_postgres::Server;
use th_record::kind::Space;
use th_record::{Id, Manifest};

use crate::Error;

/// A restored database takes about twice its dump: the rows again, and their indexes.
const DATABASE_RATIO: u64 = 2;

/// The longest name that PostgreSQL keeps whole.
const LONGEST_NAME: usize = 63;

/// Names the database `live` as another, for the restore `id`: `tracehub_before_20261123T…`.
pub(crate) fn beside(live: &str, role: &str, id: &Id) -> Result<String, Error> {
    let name = format!("{live}_{role}_{id}");
    if name.len() > LONGEST_NAME {
        Err(Error::LongName(live.to_owned()))
    } else {
        Ok(name)
    }
}

/// Checks that the server can hold the set's database: version, roles, extensions.
pub(crate) fn check_server(server: &Server, manifest: &Manifest) -> Result<(), Error> {
    Ok(th_proof::check_fits(server, manifest)?)
}

/// Returns the space that the restore needs: for the database, for what is spooled, for the files.
pub(crate) fn spaces(
    server: Option<&Server>,
    manifest: &Manifest,
    store: &Path,
    files: Option<(&Path, &Exclude)>,
) -> Result<Vec<Space>, Error> {
    let mut spaces = Vec::new();
    if let (Some(server), Some(database)) = (server, &manifest.database) {
        if let Some((path, free)) = server.data_space()? {
            spaces.push(Space {
                path,
                needed_bytes: database.dump_bytes * DATABASE_RATIO,
                free_bytes: Some(free),
            });
        }
        if server.container().is_none() {
            spaces.push(space(store, database.dump_bytes));
        }
    }
    if let (Some((root, exclude)), Some(files)) = (files, &manifest.files) {
        // What is there already is not written again, but that is known only after comparing.
        let there = th_archive::total_bytes(root, exclude).unwrap_or(0);
        spaces.push(space(root, files.total_bytes.saturating_sub(there)));
    }
    Ok(spaces)
}

/// Refuses when one of the spaces is known to be too small.
pub(crate) fn check_spaces(spaces: &[Space]) -> Result<(), Error> {
    for space in spaces {
        if let Some(free) = space.free_bytes
            && free < space.needed_bytes
        {
            return Err(Error::Space {
                path: space.path.clone(),
                needed: human_bytes(space.needed_bytes),
                free: human_bytes(free),
            });
        }
    }
    Ok(())
}

fn space(path: &Path, needed_bytes: u64) -> Space {
    // The directory may have to be made yet: then its parent tells.
    let there = path
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("/"));
    let free = rustix::fs::statvfs(there)
        .ok()
        .map(|stat| stat.f_bavail * stat.f_frsize);
    Space {
        path: path.to_string_lossy().into_owned(),
        needed_bytes,
        free_bytes: free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_cut_off_are_refused() {
        let id = "20261123T020000Z-7f3a".parse().unwrap();
        assert_eq!(
            beside("app", "before", &id).unwrap(),
            "app_before_20261123T020000Z-7f3a"
        );
        assert!(beside(&"x".repeat(33), "restore", &id).is_ok());
        assert!(matches!(
            beside(&"x".repeat(34), "restore", &id),
            Err(Error::LongName(_))
        ));
    }

    #[test]
    fn a_space_that_is_too_small_is_refused_and_an_unknown_one_is_not() {
        let space = |free_bytes| Space {
            path: "/x".into(),
            needed_bytes: 10,
            free_bytes,
        };
        check_spaces(&[space(None), space(Some(10))]).unwrap();
        assert!(matches!(
            check_spaces(&[space(Some(9))]),
            Err(Error::Space { .. })
        ));
    }
}
