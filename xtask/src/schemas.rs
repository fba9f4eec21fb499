//! JSON schemas: of each kind of record, of list items, and of the files of a set.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};
use th_record::kind::{
    Applied, Backup, BackupPlan, Freed, Gc, Maintenance, PruneObject, PrunePack, PruneSet, Pruned,
    ReleaseItem, Releases, RestorePlan, SetItem, Sets, Shown, SwapDoctor, SwapInit, SwapPlan,
    SwapStatus, Swapped, Undeleted, Undone, Verified,
};
use th_record::{Manifest, Proof, Record, VERSION};

/// The schema of one thing that leaves a process as JSON.
pub(crate) struct Named {
    /// The kind, or the name of the file.
    pub(crate) name: &'static str,
    /// Whether it is a record: an envelope around `data`.
    pub(crate) is_record: bool,
    /// The schema.
    pub(crate) schema: Value,
}

/// Returns every schema, in the order of the manual.
pub(crate) fn all() -> Vec<Named> {
    vec![
        record::<Backup>("backup"),
        record::<BackupPlan>("backup_plan"),
        item::<SetItem>("set"),
        record::<Sets>("sets"),
        record::<Shown>("shown"),
        record::<Verified>("verified"),
        record::<RestorePlan>("restore_plan"),
        record::<Applied>("restored"),
        record::<Undone>("undone"),
        record::<Gc>("gc"),
        item::<PruneSet>("prune_set"),
        item::<PrunePack>("prune_pack"),
        record::<Pruned>("pruned"),
        record::<Undeleted>("undeleted"),
        item::<PruneObject>("prune_object"),
        record::<Freed>("freed"),
        record::<Swapped>("swapped"),
        record::<SwapPlan>("swap_plan"),
        record::<SwapStatus>("swap_status"),
        item::<ReleaseItem>("release"),
        record::<Releases>("releases"),
        record::<SwapInit>("swap_init"),
        record::<SwapDoctor>("swap_doctor"),
        record::<Maintenance>("maintenance"),
        named::<Manifest>("manifest", false),
        named::<Proof>("proof", false),
    ]
}

impl Named {
    /// Returns the schema's file.
    pub(crate) fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&self.schema)? + "\n")
    }
}

fn record<T: JsonSchema>(kind: &'static str) -> Named {
    of_kind(named::<Record<T>>(kind, true))
}

fn item<T: JsonSchema>(kind: &'static str) -> Named {
    of_kind(named::<T>(kind, false))
}

/// Pins the two fields by which a reader tells what it has.
fn of_kind(mut named: Named) -> Named {
    let properties = &mut named.schema["properties"];
    properties["v"]["const"] = json!(VERSION);
    properties["kind"]["const"] = json!(named.name);
    named
}

fn named<T: JsonSchema>(name: &'static str, is_record: bool) -> Named {
    // What is written, not what is read: every field is there, if only as null.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), json!(name));
    Named {
        name,
        is_record,
        schema: schema.into(),
    }
}
