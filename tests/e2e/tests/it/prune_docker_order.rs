//! Room is made of images, databases, logs and builds, in this order, on an engine that is ours alone.

use std::fs;

use anyhow::Result;
use th_kit::{Engine, Server};

use crate::prune_databases::OLD;
use crate::prune_docker_free::{aged, root};
use crate::prune_docker_shelf::{Shelf, items, sh_on};
use crate::setup::cluster;

/// What BuildKit's cache is made of: a copy needs no base image, and no network.
const BUILD: &str = "printf 'FROM scratch\\nCOPY content /content\\n' >Dockerfile
    head -c 300000 /dev/urandom >content
    DOCKER_BUILDKIT=1 docker build --quiet . >&2
    docker image prune --all --force >&2";

#[test]
fn all_sorts_go_in_their_order_by_their_rules() -> Result<()> {
    let engine = Engine::plain()?;
    let shelf = Shelf::on(&engine, &["production"])?;
    let root = root(&shelf, r#""logs/*.log.*""#)?;
    let config = shelf.dir.path().join("th.toml");
    let text = fs::read_to_string(&config)? + "builds_for = \"0s\"\nkeep_releases = 2\n";
    fs::write(config, text)?;
    let context = tempfile::tempdir()?;
    sh_on(Some(&engine.host()), context.path(), BUILD)?;
    for day in 1..=4 {
        shelf.add("api", &format!("v{day}"), day)?;
        let path = root.join(format!("logs/app.log.{day}"));
        aged(&path, 40 + day, 1_000)?;
    }
    let server = cluster()?;
    let database = server.database_with("room", "")?;
    let old = format!("{database}_before_{}", OLD[0]);
    server.psql("postgres", &format!("CREATE DATABASE \"{old}\""))?;

    // More than there is: each rule lets go what it may.
    let run = |args: &[&str]| {
        let tool = shelf.tool("production", &[&["--target-free", "99%"], args].concat())?;
        server.target(tool, &database).run()?.expect(4)
    };
    let plan = run(&["--plan"])?;
    let done = run(&[])?;
    assert_eq!(items(&done)?, items(&plan)?);
    let parts = done.data()["parts"].as_array().into_iter().flatten();
    let parts: Vec<(&str, u64)> = parts
        .map(|part| (&part["name"], &part["deleted_count"]))
        .filter_map(|(name, count)| Some((name.as_str()?, count.as_u64()?)))
        .collect();
    let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["images", "databases", "logs", "builds"]);
    assert!(parts.iter().all(|(_, count)| *count > 0), "{parts:?}");

    assert_eq!(shelf.left()?, ["api:v3", "api:v4"]);
    assert!(!server.databases()?.contains(&old));
    assert_eq!(fs::read_dir(root.join("logs"))?.count(), 1);
    let cache = engine.docker(&["system", "df", "--format", "{{.Type}} {{.TotalCount}}"])?;
    assert!(cache.contains("Build Cache 0"), "{cache}");
    Ok(())
}
