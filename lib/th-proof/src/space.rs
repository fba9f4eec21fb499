//! The space that a restored database takes.

use std::env;
use std::path::PathBuf;

use rustix::fs::{Access, access};
use th_cli::human_bytes;
use th_postgres::Server;
use th_record::Manifest;
use th_record::kind::Space;
use th_store::Store;

use crate::Error;

/// A restored database takes about twice its dump: the rows again, and their indexes.
const RATIO: u64 = 2;

/// Returns what a copy of the set's database needs on `server`, and where `pg_restore` is given a
/// spooled dump.
///
/// # Errors
/// Those of the server and the store.
pub fn spaces(server: &Server, manifest: &Manifest, store: &Store) -> Result<Vec<Space>, Error> {
    let mut spaces = Vec::new();
    let Some(database) = &manifest.database else {
        return Ok(spaces);
    };
    if let Some((path, free)) = server.data_space(database.tablespace.as_deref())? {
        spaces.push(Space {
            path,
            needed_bytes: database.dump_bytes * RATIO,
            free_bytes: Some(free),
        });
    }
    if let Some((path, free)) = server.spool_space()? {
        spaces.push(Space {
            path,
            needed_bytes: database.dump_bytes,
            free_bytes: Some(free),
        });
    }
    if server.container().is_none() {
        let spool = spool_dir(store);
        spaces.push(Space {
            path: spool.to_string_lossy().into_owned(),
            needed_bytes: database.dump_bytes,
            free_bytes: th_store::free_bytes(&spool),
        });
    }
    Ok(spaces)
}

/// Returns where a dump is spooled to on this host: the store, whose file system is made for what is as
/// large; the temporary directory, where the store may only be read.
pub(crate) fn spool_dir(store: &Store) -> PathBuf {
    match access(store.path(), Access::WRITE_OK) {
        Ok(()) => store.path().to_owned(),
        Err(_) => env::temp_dir(),
    }
}

/// Refuses when one of the spaces is known to be too small.
///
/// # Errors
/// [`Error::Space`].
pub fn check_spaces(spaces: &[Space]) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
