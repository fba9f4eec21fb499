//! What is said to a person instead of the record.

use th_cli::{human_bytes, printable};
use th_record::Status;
use th_record::kind::{Backup, BackupPlan};

/// Tells of a set that was written.
pub(crate) fn backup(backup: &Backup) -> String {
    let status = match backup.status {
        Status::Complete => "complete",
        Status::Degraded => "DEGRADED",
    };
    let proof = backup.proof.map_or("nothing", |level| level.name());
    let mut lines = vec![format!(
        "set {} is {status}, proven to: {proof}",
        backup.set
    )];
    if let Some(database) = &backup.database {
        lines.push(format!(
            "  database  {}: {} tables, {} rows, {} stored",
            printable(&database.name),
            database.tables,
            database.rows,
            human_bytes(database.stored_bytes)
        ));
    }
    if let Some(files) = &backup.files {
        lines.push(format!(
            "  files     {} ({}), {} of them new, {} stored",
            files.count,
            human_bytes(files.total_bytes),
            files.new_count,
            human_bytes(files.stored_bytes)
        ));
    }
    lines.push(format!("  in        {}", printable(&backup.path)));
    lines.join("\n")
}

/// Tells of a plan.
pub(crate) fn plan(plan: &BackupPlan) -> String {
    let or_none = |text: &Option<String>| printable(text.as_deref().unwrap_or("none"));
    let free = plan
        .space
        .free_bytes
        .map_or("unknown".to_owned(), human_bytes);
    let expected = plan
        .expected_seconds
        .map_or("unknown, this is the first".to_owned(), |seconds| {
            format!("{seconds:.1} s")
        });
    [
        format!("would back up to {}", printable(&plan.store)),
        format!("  database  {}", or_none(&plan.database)),
        format!("  files     {}", or_none(&plan.files)),
        format!("  config    {} files", plan.config.len()),
        format!(
            "  space     {} needed, {free} free",
            human_bytes(plan.space.needed_bytes)
        ),
        format!("  duration  {expected}"),
    ]
    .join("\n")
}
