//! A parameter that was set for a database, and how its value is written.

use serde::{Deserialize, Serialize};

/// A configuration parameter set for a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The role it is for; `null` for all.
    pub role: Option<String>,
    /// The parameter.
    pub name: String,
    /// Its value, as the catalog has it.
    pub value: String,
}

/// Parameters whose value the catalog holds as a list that is quoted already
/// (`GUC_LIST_QUOTE` in PostgreSQL's guc_tables.c, as `pg_dump` knows them).
const QUOTED_LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

impl Setting {
    /// Tells whether the value is a list of quoted names, to be written as it is. Empty is the one
    /// list that the catalog does not hold in its written form.
    pub fn is_quoted_list(&self) -> bool {
        !self.value.is_empty() && QUOTED_LISTS.contains(&self.name.as_str())
    }
}
