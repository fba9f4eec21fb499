//! What a run has made beside the live, and takes back when it fails.

use th_cli::Run;
use th_proof::Copy;
use th_record::Failure;

/// What a run has made where there was nothing.
pub(super) enum Made<'a> {
    Database,
    Schema(&'a str),
    Table(&'a str, &'a str),
}

impl Made<'_> {
    /// Drops it; tells whether it is gone. What cannot be dropped is told of.
    pub(super) fn take_back(&self, run: &mut Run, copy: &Copy<'_>) -> bool {
        // A session of the run itself hears of no more once it was told to stop.
        let (server, name) = (copy.server.uncancelled(), copy.name);
        let dropped = match self {
            Self::Database => server.admin().and_then(|mut admin| admin.drop(name)),
            Self::Schema(schema) => server.drop_schema(name, schema),
            Self::Table(schema, table) => server.drop_table(name, schema, table),
        };
        if let Err(error) = &dropped {
            let why = Failure::of(error).message;
            run.changed();
            run.warn(match self {
                Self::Database => format!("database '{name}' is left: {why}"),
                Self::Schema(schema) => format!("schema '{schema}' is left in '{name}': {why}"),
                Self::Table(schema, table) => {
                    format!("table '{schema}.{table}' is left in '{name}': {why}")
                }
            });
        }
        dropped.is_ok()
    }
}
