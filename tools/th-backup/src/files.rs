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
    /// About how large all files are.
    pub(crate) expected_bytes: Option<u64>,
    pub(crate) throttle: &'a Mutex<Throttle>,
}

impl Tree<'_> {
    /// Packs what is new and lists everything.
    pub(crate) fn capture(&self, run: &mut Run, incoming: &Incoming) -> Result<Captured, Error> {
        let progress = run.progress("files", self.expected_bytes);
        let cancel = run.cancel();
        let mut on = |path: &Path, bytes| {
            progress.at(&path.to_string_lossy());
            progress.add(bytes);
            if let Ok(mut throttle) = self.throttle.lock() {
                throttle.pass(bytes);
            }
        };
        // They count for the progress, and not for the bandwidth.
        let mut on_known = |bytes| progress.add(bytes);
        let captured = Capture {
            root: self.root,
            exclude: self.exclude,
            compression: self.compression,
            previous: self.previous,
            dir: &incoming.dir(),
            packs_dir: &incoming.packs_dir(),
        }
        .run(&mut Watch::new(&cancel, &mut on).and_known(&mut on_known))?;
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
}

/// Checks that each of `paths`, JSON strings one a line, is in the listing of `root`.
pub(crate) fn check_references(
    root: &Path,
    paths: File,
    listing: &Path,
) -> Result<th_record::References, Error> {
    let read = |source| Error::Read {
        path: listing.to_owned(),
        source,
    };
    let entries = Listing::new(th_archive::open(listing).map_err(read)?);
    let mut references = References::new(root, entries)?;
    for line in BufReader::new(paths).lines() {
        let line = line.map_err(read)?;
        let path: String = serde_json::from_str(&line).map_err(|error| read(error.into()))?;
        references.check(path);
    }
    Ok(references.finish())
}

/// Stores the configuration files.
pub(crate) fn store_config(
    incoming: &Incoming,
    files: &th_config::Files,
    compression: Compression,
) -> Result<(Config, Object), Error> {
    let names: Vec<String> = files
        .config
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let object =
        th_archive::config::write(&incoming.dir(), CONFIG, &files.root, &names, compression)?;
    let root = files.root.to_string_lossy().into_owned();
    Ok((Config { root, names }, object))
}
