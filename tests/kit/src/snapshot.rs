//! What a database and a directory hold, told without the tools.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::Server;

/// Every path below a directory, with its mode and its bytes, or its target if it is a link.
pub type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Reads a directory.
///
/// # Errors
/// Those of the file system.
pub fn tree(root: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    collect(root, Path::new(""), &mut tree)?;
    Ok(tree)
}

fn collect(root: &Path, below: &Path, tree: &mut Tree) -> Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let (path, kind) = (below.join(entry.file_name()), entry.file_type()?);
        let mode = entry.metadata()?.permissions().mode();
        if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            tree.insert(path, (mode, target.as_os_str().as_bytes().to_vec()));
        } else if kind.is_dir() {
            tree.insert(path.clone(), (mode, Vec::new()));
            collect(root, &path, tree)?;
        } else {
            tree.insert(path, (mode, fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// One line a table, sequence, large object and setting of a database, with a hash of what it holds.
const STATE: &str = r"
SET search_path = pg_catalog;
SET extra_float_digits = 3;
CREATE FUNCTION pg_temp.content(t regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN
    EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(h, '','' ORDER BY h)), ''-'')
                    FROM (SELECT md5(to_jsonb(r)::text) h FROM ONLY %s r) q', t) INTO result;
    RETURN result;
END $$;
SELECT 'table ' || c.oid::regclass || ' ' || pg_get_userbyid(c.relowner) || ' '
       || coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(c.relacl) a), '-') || ' '
       || CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'unpopulated'
               ELSE pg_temp.content(c.oid) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY c.oid::regclass::text;
-- A view's text changes when it is dumped and restored; its columns do not.
SELECT 'view ' || c.oid::regclass || ' ' || (SELECT string_agg(attname || ' ' || atttypid::regtype, ', '
    ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1;
SELECT 'sequence ' || format('%I.%I', schemaname, sequencename) || ' ' || coalesce(last_value::text, '-')
FROM pg_sequences ORDER BY 1;
SELECT 'lob ' || oid || ' ' || md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY oid;
SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || contype::text
FROM pg_constraint WHERE conrelid <> 0 AND connamespace <> 'pg_catalog'::regnamespace ORDER BY 1;
SELECT 'setting ' || coalesce(setrole::regrole::text, '') || ' ' || array_to_string(setconfig, ' ')
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
WHERE d.datname = current_database() ORDER BY 1;
SELECT 'database ' || pg_get_userbyid(datdba) || ' ' || coalesce(shobj_description(oid, 'pg_database'), '-')
       || ' ' || coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), '-')
FROM pg_database WHERE datname = current_database();
";

/// Describes a database: equal texts mean equal content.
///
/// # Errors
/// Those of the server.
pub fn database_state(server: &dyn Server, database: &str) -> Result<String> {
    server.psql(database, STATE)
}
