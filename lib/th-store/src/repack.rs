//! Writing a pack anew without what no set needs of it.
//!
//! Sets never change, and they name packs by hash. So the new pack gets the name that its own bytes
//! give it, and then a link to it takes the old one's place, by one rename: whoever opens the old
//! name finds the members that sets need, whatever the moment.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

use tar::{Archive, EntryType};
use th_archive::atomic::{TEMPORARY, fsync_dir};
use th_archive::{Compression, Content, Digest, EntryPath, Stored, Watch};
use th_record::Object;

use crate::survey::Survey;
use crate::{Error, Pruner, Sparse};

/// The members that sets need of one pack.
type Members = HashMap<EntryPath, Content>;

impl Pruner {
    /// Writes a pack anew with only what sets need of it, and returns the new one.
    ///
    /// # Errors
    /// [`Error::Pack`] when the pack does not hold what the sets say; [`Error::Io`]. The pack is
    /// then as it was.
    pub fn rewrite(
        &self,
        survey: &Survey,
        sparse: &Sparse,
        watch: &mut Watch<'_>,
    ) -> Result<Object, Error> {
        let store = &self.store;
        let damaged = |problem: String| Error::Pack {
            name: sparse.name.clone(),
            problem,
        };
        let mut members = Members::new();
        let is_it = |number: u32| survey.packs[number as usize].name == sparse.name;
        // Only theirs must be readable.
        let needs = (survey.needs.iter()).filter(|need| need.packs.iter().copied().any(is_it));
        for need in needs {
            store.members(survey, need, &mut |number, member, content| {
                if is_it(number) {
                    members.insert(member.clone(), content.clone());
                }
            })?;
        }
        let old = store.packs_dir().join(&sparse.name);
        let trash = store.trash_dir();
        crate::dir::make_dir(&trash)?;
        let compression = compression(&sparse.name);
        let stem = format!("{TEMPORARY}pack.tar");
        let temporary = trash.join(compression.name(&stem));
        let written = Stored::create(&trash, &stem, compression)
            .map_err(Error::io(&temporary))
            .and_then(|mut stored| {
                copy(&old, &mut stored, &mut members, watch).map_err(|error| {
                    match error.kind() {
                        io::ErrorKind::InvalidData => damaged(error.to_string()),
                        _ => Error::io(&temporary)(error),
                    }
                })?;
                stored.finish().map_err(Error::io(&temporary))
            });
        let moved = written.and_then(|finished| {
            let Object { bytes, sha256, .. } = finished.object;
            // What is to take the place of something is read again first.
            let (again, _) = Digest::of_file(&temporary, watch).map_err(Error::io(&temporary))?;
            if again.to_string() != sha256 {
                return Err(damaged("what was written reads back otherwise".into()));
            }
            let object = Object {
                name: compression.name(&format!("{sha256}.tar")),
                bytes,
                sha256,
            };
            self.replace(&sparse.name, &temporary, &object.name)?;
            Ok(object)
        });
        if moved.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        moved
    }

    /// Puts the pack at `temporary` among the others as `name`, and a link to it in place of `old`.
    fn replace(&self, old: &str, temporary: &Path, name: &str) -> Result<(), Error> {
        let packs = self.store.packs_dir();
        let new = packs.join(name);
        fs::rename(temporary, &new).map_err(Error::io(&new))?;
        fsync_dir(&packs).map_err(Error::io(&packs))?;
        if name == old {
            return Ok(());
        }
        let link = packs.join(format!("{TEMPORARY}{old}"));
        symlink(name, &link).map_err(Error::io(&link))?;
        let replaced = packs.join(old);
        fs::rename(&link, &replaced).map_err(Error::io(&replaced))?;
        fsync_dir(&packs).map_err(Error::io(&packs))?;
        // What was damaged of it, no set needed.
        self.store.forget_damage(old)
    }
}

/// Copies the wanted members of the pack at `path`, header and all, and checks their content.
fn copy(
    path: &Path,
    to: &mut impl Write,
    wanted: &mut Members,
    watch: &mut Watch<'_>,
) -> io::Result<()> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut archive = Archive::new(th_archive::open(path)?);
    let mut long: Option<Vec<u8>> = None;
    for entry in archive.entries()?.raw(true) {
        watch.check()?;
        let mut entry = entry?;
        if entry.header().entry_type() == EntryType::GNULongName {
            let mut record = entry.header().as_bytes().to_vec();
            entry.read_to_end(&mut record)?;
            pad(&mut record)?;
            long = Some(record);
            continue;
        }
        let name = match &long {
            Some(record) => {
                let name = &record[512..];
                name.split(|byte| *byte == 0)
                    .next()
                    .unwrap_or_default()
                    .to_vec()
            }
            None => entry.path_bytes().into_owned(),
        };
        let before = long.take();
        let member = EntryPath::from_bytes(name).map_err(|error| invalid(error.to_string()))?;
        let Some(content) = wanted.remove(&member) else {
            continue;
        };
        let size = entry.size();
        to.write_all(&before.unwrap_or_default())?;
        to.write_all(entry.header().as_bytes())?;
        let tee = Tee {
            from: &mut entry,
            to,
        };
        let (sha256, bytes) = Digest::of_reader(tee, path, watch)?;
        if sha256 != content.sha256 || bytes != size || size != content.size {
            return Err(invalid(format!("'{member}' is not what a set says")));
        }
        to.write_all(&[0; 512][..padding(size)])?;
    }
    match wanted.keys().next() {
        Some(member) => Err(invalid(format!("'{member}' is missing"))),
        None => to.write_all(&[0; 1024]),
    }
}

/// Writes to one side what is read from the other.
struct Tee<'a, R, W> {
    from: &'a mut R,
    to: &'a mut W,
}

impl<R: Read, W: Write> Read for Tee<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.to.write_all(&buffer[..n])?;
        Ok(n)
    }
}

/// Returns how many zeros follow `size` bytes in a tar.
fn padding(size: u64) -> usize {
    (size.next_multiple_of(512) - size) as usize
}

fn pad(record: &mut Vec<u8>) -> io::Result<()> {
    record.write_all(&[0; 512][..padding(record.len() as u64)])
}

/// Returns how to compress so that the name has the same extension.
fn compression(name: &str) -> Compression {
    match name.rsplit_once('.') {
        Some((_, "zst")) => Compression::default(),
        Some((_, "gz")) => Compression::Gzip { level: 6 },
        _ => Compression::None,
    }
}
