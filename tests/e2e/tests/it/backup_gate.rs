//! `-`: the records of the tools before this one.

use anyhow::Result;
use th_kit::{Server, Store, Tool};

use crate::setup::{backup, cluster};

fn tool(store: &Store) -> Result<Tool> {
    let server = cluster()?;
    static DATABASE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let database = match DATABASE.get() {
        Some(name) => name,
        None => DATABASE.get_or_init(|| server.database("gate").unwrap_or_default()),
    };
    Ok(backup(server, database, store)?.args(["-"]))
}

#[test]
fn a_good_record_lets_through_and_is_passed_on() -> Result<()> {
    let store = Store::new()?;
    let first = backup(cluster()?, "postgres", &store)?.run()?.expect(0)?;
    let second = tool(&store)?.stdin(first.stdout.clone()).run()?.expect(0)?;
    assert!(second.stdout.starts_with(&first.stdout));
    assert_eq!(second.stdout.lines().count(), 2);
    assert_eq!(second.record["run"], first.record["run"]);
    Ok(())
}

#[test]
fn whatever_is_wrong_upstream_changes_nothing() -> Result<()> {
    let good = backup(cluster()?, "postgres", &Store::new()?)?
        .run()?
        .expect(0)?;
    let altered = |key: &str, value: serde_json::Value| {
        let mut record = good.record.clone();
        record[key] = value;
        format!("{record}\n")
    };
    let mut failed = good.record.clone();
    failed["ok"] = false.into();
    failed["error"] = serde_json::json!(
        {"kind": "io", "message": "broke", "hint": null, "exit": 1, "done": []}
    );
    let cases = [
        ("failed", format!("{failed}\n")),
        (
            "failed before a good one",
            format!("{failed}\n{}\n", good.record),
        ),
        ("empty", String::new()),
        ("not JSON", "hello\n".to_owned()),
        ("cut off", good.stdout[..good.stdout.len() / 2].to_owned()),
        ("dry run", altered("dry_run", true.into())),
        ("old", altered("started_at", "2020-01-01T00:00:00Z".into())),
        ("newer contract", altered("v", 2.into())),
    ];
    for (what, stdin) in cases {
        let store = Store::new()?;
        let ended = tool(&store)?.stdin(stdin).run()?;
        assert_eq!(ended.code, 13, "{what}: {} {}", ended.stdout, ended.stderr);
        assert_eq!(ended.record["changed"], false, "{what}");
        assert!(!store.path().exists(), "{what}");
    }
    Ok(())
}
