//! The right to take things out of a store.

use std::fs::File;

use crate::Error;
use crate::dir::DirStore;

/// A store that nobody writes to, and that nobody else prunes, until this is dropped.
#[derive(Debug)]
pub struct Pruner {
    pub(crate) store: DirStore,
    _claim: File,
}

impl Pruner {
    pub(crate) fn new(store: &DirStore) -> Result<Self, Error> {
        let claim = store.claim()?;
        Ok(Self {
            store: store.clone(),
            _claim: claim,
        })
    }
}
