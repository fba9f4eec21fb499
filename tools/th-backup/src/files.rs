//! The files' part of a set: the uploads, the configuration, and the check of references.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Mutex;

use th_archive::{Capture, Captured, Compression, Exclude, Listing, Previous, References, Watch};
use th_cli::Run;
use th_record::{CONFIG, Config, Object};
use th_store::Incoming;

use crate::{Error, Throttle};

/// What is to be packed, and how.
pub(crate) struct Tree<'a> {
    pub(crate) root: &'a Path,
    pub(crate) exclude: &'a Exclude,
    pub(crate) previous: Option<&'a Previous>,
    pub(crate) compression: Compression,
    pub(crate) throttle: &'a Mutex<Throttle>,
}

impl Tree<'_> {
    /// Packs what is new and lists everything.
    pub(crate) fn capture(&self, run: &mut Run, incoming: &Incoming) -> Result<Captured, Error> {
        let progress = run.progress("files", None);
        let cancel = run.cancel();
        let mut on = |path: &Path, bytes| {
            progress.at(&path.to_string_lossy());
            progress.add(bytes);
            if let Ok(mut throttle) = self.throttle.lock() {
                throttle.pass(bytes);
            }
        };
        let captured = Capture {
            root: self.root,
            exclude: self.exclude,
            compression: self.compression,
            previous: self.previous,
            dir: &incoming.dir(),
            packs_dir: &incoming.packs_dir(),
        }
        .run(&mut Watch::new(&cancel, &mut on))?;
        drop(progress);
        for (what, list) in [("", &captured.warnings), ("skipped: ", &captured.skipped)] {
            for message in &list.first {
                run.warn(format!("{what}{message}"));
            }
            let more = list.count - list.first.len() as u64;
            if more > 0 {
                run.warn(format!("{what}and {more} more"));
            }
        }
        run.done(format!("packed {} files", captured.files.count));
        Ok(captured)
    }

    /// Checks that each of `paths`, JSON strings one a line, is in the listing.
    pub(crate) fn check_references(
        &self,
        paths: File,
        listing: &Path,
    ) -> Result<th_record::References, Error> {
        let read = |source| Error::Write { path: listing.to_owned(), source };
        let listing = Listing::new(th_archive::open(listing).map_err(read)?);
        let mut references = References::new(self.root, listing)?;
        for line in BufReader::new(paths).lines() {
            let path: String =
                serde_json::from_str(&line.map_err(read)?).map_err(|error| read(error.into()))?;
            references.check(path);
        }
        Ok(references.finish())
    }
}

/// Stores the configuration files `names`, which are relative to `root`.
pub(crate) fn store_config(
    incoming: &Incoming,
    root: &Path,
    names: &[std::path::PathBuf],
    compression: Compression,
) -> Result<(Config, Object), Error> {
    let object = th_archive::config::write(&incoming.dir(), CONFIG, root, names, compression)?;
    let config = Config {
        root: root.to_string_lossy().into_owned(),
        names: names.iter().map(|name| name.to_string_lossy().into_owned()).collect(),
    };
    Ok((config, object))
}
