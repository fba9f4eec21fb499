//! Whatever is changed in a schema, its fingerprint names it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use th_kit::Tool;

use crate::setup::{App, cluster};

/// Every object of the schema with the hash of its definition.
type Schema = BTreeMap<(String, String), String>;

fn schema(app: &App<'_>) -> Result<Schema> {
    let tool = app
        .server
        .target(app.store.target(Tool::new("th-backup")?), &app.database);
    let made = tool.args(["--prove", "none"]).run()?.expect(0)?;
    let set = made.data()["set"].as_str().context("no set")?;
    let manifest = app.store.manifest(set)?;
    let objects = manifest["database"]["fingerprint"]["schema"]
        .as_array()
        .context("no schema")?
        .iter()
        .map(|object| {
            let text = |key: &str| object[key].as_str().map(str::to_owned);
            Some(((text("kind")?, text("name")?), text("md5")?))
        });
    objects
        .collect::<Option<_>>()
        .context("an object is not one")
}

fn changed(old: &Schema, new: &Schema) -> BTreeSet<String> {
    let names = old.keys().chain(new.keys());
    let changed = names.filter(|&name| old.get(name) != new.get(name));
    changed
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect()
}

#[test]
fn the_least_change_of_the_schema_is_named() -> Result<()> {
    let sql = "CREATE TABLE rows (id int, at date, word text);
        CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER see ON ddl_command_end EXECUTE FUNCTION seen();
        CREATE PUBLICATION news FOR TABLE rows;
        CREATE FOREIGN DATA WRAPPER wrapper;
        CREATE SERVER far FOREIGN DATA WRAPPER wrapper;
        CREATE TYPE pair AS (a int, b int);
        CREATE FUNCTION as_text(pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''''';
        CREATE CAST (pair AS text) WITH FUNCTION as_text(pair);
        CREATE FUNCTION same(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE OPERATOR === (FUNCTION = same, LEFTARG = pair, RIGHTARG = pair);
        CREATE AGGREGATE product (int) (SFUNC = int4mul, STYPE = int, INITCOND = 1);
        CREATE COLLATION loose (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
        CREATE OPERATOR CLASS ints FOR TYPE int USING btree AS
            OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 btint4cmp(int, int);
        CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple);
        CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
        CREATE TRUSTED LANGUAGE other HANDLER plpgsql_call_handler;
        CREATE SEQUENCE counter;
        CREATE RULE quiet AS ON DELETE TO rows DO INSTEAD NOTHING;
        CREATE FOREIGN TABLE away (id int) SERVER far;
        SELECT lo_create(7);
        CREATE VIEW words AS SELECT word FROM rows;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor;";
    let app = App::new(cluster()?, "definitions", sql)?;
    let mut before = schema(&app)?;
    let mut changes: Vec<(&str, &str)> = vec![
        (
            "ALTER PUBLICATION news SET (publish = 'insert')",
            "publication news",
        ),
        (
            "ALTER PUBLICATION news SET TABLE rows WHERE (id > 1)",
            "publication news",
        ),
        (
            "ALTER PUBLICATION news SET TABLES IN SCHEMA public",
            "publication news",
        ),
        ("ALTER EVENT TRIGGER see DISABLE", "event_trigger see"),
        (
            "ALTER FOREIGN DATA WRAPPER wrapper OPTIONS (a '1')",
            "foreign-data_wrapper wrapper",
        ),
        ("ALTER SERVER far OPTIONS (host 'near')", "server far"),
        (
            "GRANT USAGE ON FOREIGN SERVER far TO pg_monitor",
            "server far",
        ),
        (
            "DROP CAST (pair AS text); CREATE CAST (pair AS text) WITH FUNCTION as_text(pair) AS IMPLICIT",
            "cast (public.pair AS pg_catalog.text)",
        ),
        (
            "ALTER OPERATOR === (pair, pair) SET (RESTRICT = eqsel)",
            "operator public.===(public.pair,public.pair)",
        ),
        (
            "DROP AGGREGATE product (int);
             CREATE AGGREGATE product (int) (SFUNC = int4pl, STYPE = int, INITCOND = 1)",
            "aggregate public.product(integer)",
        ),
        (
            "DROP COLLATION loose; CREATE COLLATION loose (PROVIDER = icu, LOCALE = 'und-u-ks-level1', DETERMINISTIC = false)",
            "collation public.loose",
        ),
        (
            "ALTER OPERATOR FAMILY ints USING btree ADD OPERATOR 5 > (int, int)",
            "operator_family public.ints USING btree",
        ),
        (
            "ALTER TEXT SEARCH DICTIONARY plain (STOPWORDS = english)",
            "text_search_dictionary public.plain",
        ),
        (
            "ALTER TEXT SEARCH CONFIGURATION plain ALTER MAPPING FOR word WITH plain",
            "text_search_configuration public.plain",
        ),
        (
            "GRANT USAGE ON LANGUAGE other TO pg_monitor WITH GRANT OPTION",
            "language other",
        ),
        (
            "ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO pg_monitor",
            "default_acl for role postgres on tables",
        ),
        (
            "ALTER TABLE rows REPLICA IDENTITY FULL",
            "property public.rows replica identity",
        ),
        (
            "ALTER TABLE rows ALTER word SET STORAGE EXTERNAL",
            "property public.rows.word storage",
        ),
        (
            "ALTER TABLE rows ALTER word SET STATISTICS 7",
            "property public.rows.word storage",
        ),
        (
            "ALTER SEQUENCE counter OWNED BY rows.id",
            "property public.counter owned by",
        ),
        (
            "ALTER TABLE rows DISABLE RULE quiet",
            "property public.rows.quiet enabled",
        ),
        (
            "ALTER FOREIGN TABLE away OPTIONS (b '1', a '2')",
            "property public.away foreign",
        ),
        (
            "ALTER FOREIGN TABLE away ALTER id OPTIONS (b '1')",
            "property public.away.id storage",
        ),
        (
            "GRANT SELECT ON LARGE OBJECT 7 TO pg_monitor",
            "property large objects",
        ),
        (
            "ALTER TABLE rows ALTER at SET NOT NULL",
            "column public.rows.at",
        ),
        ("GRANT SELECT ON words TO pg_monitor", "view public.words"),
        (
            "ALTER TABLE rows SET (fillfactor = 70)",
            "table public.rows",
        ),
        (
            "COMMENT ON VIEW words IS 'all'",
            "comment view public.words",
        ),
    ];
    // One change of each object at a time: an object's second waits for the next round.
    while !changes.is_empty() {
        let mut round = BTreeSet::new();
        let mut rest = Vec::new();
        for (change, wanted) in changes {
            if round.insert(wanted.to_owned()) {
                app.server.psql(&app.database, change)?;
            } else {
                rest.push((change, wanted));
            }
        }
        let after = schema(&app)?;
        let found = changed(&before, &after);
        ensure!(found == round, "{:?}", found.symmetric_difference(&round));
        (before, changes) = (after, rest);
    }
    Ok(())
}
