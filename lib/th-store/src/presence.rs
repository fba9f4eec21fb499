//! Whether all of a set is there, as far as can be told without reading it.

use std::collections::HashSet;
use std::fs;
use std::io;

use th_record::Id;

use crate::Error;
use crate::dir::DirStore;

impl DirStore {
    /// Loads the set `id`, and looks at its objects and packs, but for the packs that are in `seen`:
    /// those that are as they should be are added to it.
    pub(crate) fn check(&self, id: &Id, seen: &mut HashSet<String>) -> Result<(), Error> {
        let (manifest, _) = self.load(id)?;
        let set = self.set_dir(id);
        for object in &manifest.objects {
            let found = fs::symlink_metadata(set.join(&object.name)).and_then(|found| {
                let fits = found.is_file() && found.len() == object.bytes;
                fits.then_some(()).ok_or(io::ErrorKind::InvalidData.into())
            });
            found.map_err(|error| Error::Object {
                set: id.clone(),
                name: object.name.clone(),
                problem: problem(&error),
            })?;
        }
        for pack in manifest.files.iter().flat_map(|files| &files.packs) {
            if !seen.contains(&pack.name) {
                self.pack(pack).map_err(|error| Error::Pack {
                    name: pack.name.clone(),
                    problem: problem(&error),
                })?;
                seen.insert(pack.name.clone());
            }
        }
        Ok(())
    }
}

fn problem(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is gone".to_owned(),
        io::ErrorKind::InvalidData => "it is not as large as it was".to_owned(),
        _ => error.to_string(),
    }
}
