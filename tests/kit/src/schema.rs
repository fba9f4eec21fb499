//! The committed schemas, which every record has to keep to.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde_json::Value;

/// Holds a record against the committed schema of its kind, if there is one.
pub(crate) fn check_schema(record: &Value) -> Result<()> {
    let kind = record["kind"].as_str().unwrap_or_default();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let Ok(schema) = fs::read(root.join(format!("{kind}.v1.json"))) else {
        return Ok(());
    };
    let schema: Value = serde_json::from_slice(&schema)?;
    let validator = jsonschema::validator_for(&schema)?;
    let errors: Vec<String> = validator
        .iter_errors(record)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    ensure!(
        errors.is_empty(),
        "{record}\nbreaks schemas/{kind}.v1.json: {}",
        errors.join("; ")
    );
    Ok(())
}
