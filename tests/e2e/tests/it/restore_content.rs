//! Content that is not what the manifest says is noticed, whatever it is, and never put live.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::setup::{App, bulk, cluster};

/// Changes the manifest of a set and seals it again, so that every byte of the set holds.
pub(crate) fn forge(app: &App<'_>, set: &str, change: impl FnOnce(&mut Value)) -> Result<()> {
    let dir = app.store.set(set);
    let mut manifest = app.store.manifest(set)?;
    change(&mut manifest);
    fs::write(
        dir.join("manifest.json"),
        serde_json::to_vec_pretty(&manifest)?,
    )?;
    let output = Command::new("sha256sum")
        .arg("manifest.json")
        .current_dir(&dir)
        .output()?;
    let own = String::from_utf8(output.stdout)?;
    let sums = fs::read_to_string(dir.join("SHA256SUMS"))?;
    let others = sums
        .lines()
        .filter(|line| !line.ends_with(" manifest.json"));
    let sums: String = others.map(|line| format!("{line}\n")).collect();
    fs::write(dir.join("SHA256SUMS"), sums + &own)?;
    // It names the hash of the manifest that was proven.
    let _ = fs::remove_file(dir.join("proof.json"));
    app.store.check_whole().map(drop)
}

/// A list of the fingerprint.
pub(crate) fn list<'a>(print: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    let list = print[name].as_array_mut();
    list.unwrap_or_else(|| panic!("no {name}"))
}

/// An object of a list of the fingerprint by its name.
fn named<'a>(print: &'a mut Value, of: &str, name: &str) -> &'a mut Value {
    let found = list(print, of).iter_mut().find(|item| item["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn every_kind_of_difference_is_noticed_and_named() -> Result<()> {
    let sql = bulk(200)
        + "CREATE SEQUENCE counter; SELECT setval('counter', 7); CREATE EXTENSION hstore;
           CREATE VIEW words AS SELECT word FROM marker; SELECT lo_from_bytea(77, 'large');";
    let app = App::new(cluster()?, "content", &sql)?;
    let set = app.backup()?;
    let original = app.store.manifest(&set)?;
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    let live = app.state()?;
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 9] = [
        ("table public.marker", |print| {
            named(print, "tables", "marker")["digest"] = json!("12345");
        }),
        ("table public.bulk", |print| {
            named(print, "tables", "bulk")["rows"] = json!(201);
        }),
        ("table public.lost", |print| {
            let mut lost = named(print, "tables", "bulk").clone();
            lost["name"] = json!("lost");
            list(print, "tables").push(lost);
        }),
        ("sequence public.counter", |print| {
            let counter = named(print, "sequences", "counter");
            counter["last_value"] = json!(8);
            counter["last_value_after"] = json!(8);
        }),
        ("view public.words", |print| {
            named(print, "schema", "public.words")["md5"] = json!("0".repeat(32));
        }),
        ("index public.bulk_pkey", |print| {
            list(print, "schema").retain(|item| item["name"] != "public.bulk_pkey");
        }),
        ("schema_sha256 all", |print| {
            print["schema_sha256"] = json!("0".repeat(64));
        }),
        ("extension hstore", |print| {
            named(print, "extensions", "hstore")["version"] = json!("0.9");
        }),
        ("large_objects all", |print| {
            print["large_objects"]["digest"] = json!("1");
        }),
    ];
    for (wanted, change) in changes {
        forge(&app, &set, |manifest| {
            *manifest = original.clone();
            change(&mut manifest["database"]["fingerprint"]);
        })?;
        let ended = app.restore(&["verify", &set])?.expect(14)?;
        let found: Vec<String> = ended.data()["differences"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| format!("{} {}", it["what"], it["name"]).replace('"', ""))
            .collect();
        ensure!(found == [wanted], "{wanted}: {found:?}");
        assert_eq!(ended.data()["reached"], "restore", "{wanted}");
        let ended = app.restore(&["apply", &set])?.expect(14)?;
        let (what, name) = wanted.split_once(' ').context("no name")?;
        let message = ended.message();
        ensure!(
            message.contains(&format!("{what} '{name}'")),
            "{wanted}: {message}"
        );
        ensure!(app.state()? == live, "{wanted}: what is live was touched");
        ensure!(app.beside()?.is_empty(), "{wanted}: {:?}", app.beside()?);
        let strays = app.store.strays()?;
        ensure!(strays.is_empty(), "{wanted}: {strays:?}");
    }
    forge(&app, &set, |manifest| *manifest = original)?;
    app.restore(&["verify", &set])?.expect(0)?;
    Ok(())
}

/// Every other kind of value is hashed in a way of its own.
#[test]
fn the_least_change_of_a_row_changes_the_digest_of_its_table() -> Result<()> {
    let sql = r#"CREATE TYPE mood AS ENUM ('sad', 'glad');
        CREATE TYPE pair AS (a text, b text);
        CREATE COLLATION loose (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
        CREATE TABLE cells (id int, raw bytea, note text, other text, doc json, spot point, mood mood,
            moods mood[], both_ pair, loose text COLLATE loose, bits bit(4), made timestamptz, ratio float8);
        INSERT INTO cells SELECT i, '\x00ff80', 'n' || i, 'o', '{"a": 1, "b": 2}', point(i, 2), 'sad',
            '{sad,glad}', ROW('x', 'y')::pair, 'Word', B'1010', '2026-01-01 00:00:00+00', 0.1
        FROM generate_series(1, 5) i;
        INSERT INTO cells (id) VALUES (6);"#;
    let app = App::new(cluster()?, "cells", sql)?;
    let digest = || -> Result<String> {
        let tool = app.server.target(
            app.store.target(th_kit::Tool::new("th-backup")?),
            &app.database,
        );
        let made = tool.args(["--prove", "none"]).run()?.expect(0)?;
        let set = made.data()["set"].as_str().context("no set")?;
        let mut manifest = app.store.manifest(set)?;
        let cells = named(&mut manifest["database"]["fingerprint"], "tables", "cells");
        Ok(format!("{} {}", cells["rows"], cells["digest"]))
    };
    let original = digest()?;
    let changes = [
        "id = 7 WHERE id = 1",
        "raw = '\\x00ff81' WHERE id = 1",
        "raw = '\\x00ff8000' WHERE id = 1",
        "note = NULL WHERE id = 1",
        "note = '' WHERE id = 6",
        "note = 'N1' WHERE id = 1",
        "note = 'n1o', other = '' WHERE id = 1",
        "note = other, other = note WHERE id = 1",
        "note = CASE id WHEN 1 THEN 'n2' ELSE 'n1' END WHERE id IN (1, 2)",
        "doc = '{\"b\": 2, \"a\": 1}' WHERE id = 1",
        "spot = point(1, 2.0000000000000004) WHERE id = 1",
        "mood = 'glad' WHERE id = 1",
        "moods = '{glad,sad}' WHERE id = 1",
        "both_ = ROW('xy', '') WHERE id = 1",
        "loose = 'word' WHERE id = 1",
        "bits = B'1011' WHERE id = 1",
        "made = made + interval '1 microsecond' WHERE id = 1",
        "ratio = 0.10000000000000002 WHERE id = 1",
    ]
    .map(|change| format!("UPDATE cells SET {change}"));
    let others = [
        "INSERT INTO cells SELECT * FROM cells WHERE id = 1",
        "INSERT INTO cells SELECT c.* FROM cells c, generate_series(1, 2) WHERE id = 1",
        "DELETE FROM cells WHERE id = 1",
        // As many rows, one of them twice.
        "DELETE FROM cells WHERE id = 1; INSERT INTO cells SELECT * FROM cells WHERE id = 2",
    ]
    .map(str::to_owned);
    let mut seen = BTreeMap::from([(original.clone(), String::new())]);
    for change in changes.into_iter().chain(others) {
        app.server.psql(
            &app.database,
            &format!("CREATE TABLE spare AS TABLE cells; {change};"),
        )?;
        let changed = digest().with_context(|| change.clone())?;
        if let Some(same) = seen.insert(changed, change.clone()) {
            anyhow::bail!("'{change}' looks like '{same}'");
        }
        app.server.psql(
            &app.database,
            "TRUNCATE cells; INSERT INTO cells TABLE spare; DROP TABLE spare;",
        )?;
    }
    assert_eq!(digest()?, original);
    Ok(())
}
