//! The JSON contract between the tools: everything that leaves a process as JSON is a type here.
//!
//! docs/records.md is the manual of records, docs/store-format.md that of manifests.

pub mod kind;
pub mod record;

mod exit;
mod failure;
mod fingerprint;
mod id;
mod manifest;
mod proof;
mod upstream;

pub use exit::Exit;
pub use failure::{ErrorKind, Fail, Failure};
pub use fingerprint::{
    Difference, Extension, Fingerprint, LargeObjects, SchemaObject, Sequence, Table,
};
pub use id::{BadId, Id};
pub use manifest::{
    CONFIG, Config, DUMP, Database, FORMAT, Files, GLOBALS, Grant, Image, Manifest, Method, Object,
    Previous, References, Setting, Status, TOC, Tag,
};
pub use proof::{Level, Proof, Reached};
pub use record::{Record, VERSION};
pub use upstream::{Refusal, Upstream};
