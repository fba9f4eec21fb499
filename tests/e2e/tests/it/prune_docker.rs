//! The images of old releases go, and nothing that anybody may still need.

use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use th_kit::docker;

use crate::prune_docker_shelf::{Shelf, item, items};

/// Five releases of two images each, one a day.
pub(crate) fn five() -> Result<Shelf> {
    let shelf = Shelf::new(&["production", "staging"])?;
    for day in 1..=5 {
        shelf.add("api", &format!("v{day}"), day)?;
        shelf.add("web", &format!("v{day}"), day)?;
    }
    Ok(shelf)
}

#[test]
fn the_last_releases_stay_and_the_plan_is_what_is_done() -> Result<()> {
    let shelf = five()?;
    let all = shelf.left()?;
    let plan = shelf
        .prune(&["images", "--keep-releases", "2", "--plan"])?
        .expect(0)?;
    assert_eq!(plan.record["dry_run"], true);
    assert_eq!(shelf.left()?, all);
    let done = shelf
        .prune(&["images", "--keep-releases", "2"])?
        .expect(0)?;
    assert_eq!(items(&done)?, items(&plan)?);
    assert_eq!(shelf.left()?, ["api:v4", "api:v5", "web:v4", "web:v5"]);

    let part = &done.data()["parts"][0];
    assert_eq!(
        (&part["name"], &part["deleted_count"]),
        (&"images".into(), &6.into())
    );
    assert_eq!(part["kept_count"], 4);
    // Measured on the whole engine, where others are at work too.
    assert!(part["freed_bytes"].is_u64(), "{part}");
    assert_eq!(done.record["changed"], true);
    let gone = item(&done, &shelf.name("api", "v1"))?;
    assert_eq!(gone["action"], "delete");
    assert!(gone["reasons"].to_string().contains("'v1'"), "{gone}");
    let kept = item(&done, &shelf.name("web", "v4"))?;
    assert_eq!(
        kept["kept_by"],
        serde_json::json!(["keep_releases"]),
        "{kept}"
    );

    let again = shelf
        .prune(&["images", "--keep-releases", "2"])?
        .expect(0)?;
    assert_eq!(again.record["changed"], false);
    Ok(())
}

#[test]
fn what_a_container_uses_stays_running_or_not() -> Result<()> {
    let shelf = five()?;
    shelf.container(&shelf.name("api", "v1"))?;
    // A container of an image whose name went to another.
    let lost = shelf.add("web", "v2", 9)?;
    shelf.container(&lost)?;
    let newer = shelf.load(&[&shelf.name("web", "v2")], "v2", 10, &shelf.app)?;
    ensure!(lost != newer, "one image");
    let label = format!("th.shelf={}", shelf.app);
    let file = "FROM th-base:bookworm\nLABEL th.app=";
    let name = shelf.name("api", "v0");
    let build = format!(
        "printf '{file}{}' | DOCKER_BUILDKIT=0 docker build -q -t {name} -",
        shelf.app
    );
    crate::prune_docker_shelf::sh(shelf.dir.path(), &build)?;
    let running = docker(&["run", "-d", "--label", &label, &name, "sleep", "300"])?;

    let done = shelf
        .prune(&["images", "--keep-releases", "0", "--min-age", "0s"])?
        .expect(0)?;
    let left = shelf.left()?;
    ensure!(left.len() == 3, "{left:?}");
    assert!(left.contains(&"api:v0".to_owned()) && left.contains(&"api:v1".to_owned()));
    let kept = item(&done, &shelf.name("api", "v1"))?;
    assert!(kept["reasons"].to_string().contains("container"), "{kept}");
    assert_eq!(
        docker(&["inspect", "-f", "{{.State.Running}}", &running])?,
        "true"
    );
    Ok(())
}

#[test]
fn what_is_young_stays() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    let name = shelf.name("api", "v1");
    let build = format!(
        "printf 'FROM scratch\\nLABEL th.app={}' | DOCKER_BUILDKIT=0 docker build -q -t {name} -",
        shelf.app
    );
    crate::prune_docker_shelf::sh(shelf.dir.path(), &build)?;
    let done = shelf
        .prune(&["images", "--keep-releases", "0"])?
        .expect(0)?;
    assert_eq!(
        item(&done, &name)?["kept_by"],
        serde_json::json!(["min_age"])
    );
    assert_eq!(shelf.left()?, ["api:v1"]);
    Ok(())
}

#[test]
fn the_images_of_others_stay() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    let other = Shelf::new(&["production"])?;
    shelf.add("api", "v1", 1)?;
    shelf.add("api", "v2", 2)?;
    // Another app; one built on ours, with our label; ours with a name that is not.
    other.add("api", "v1", 1)?;
    let child = format!("th-e2e-child-of-{}:v1", shelf.app);
    let build = format!(
        "printf 'FROM {}\\nLABEL child=1' | DOCKER_BUILDKIT=0 docker build -q -t {child} -",
        shelf.name("api", "v1")
    );
    crate::prune_docker_shelf::sh(shelf.dir.path(), &build)?;
    let done = shelf
        .prune(&["images", "--keep-releases", "0", "--min-age", "0s"])?
        .expect(0)?;
    assert_eq!(other.left()?, ["api:v1"]);
    assert_eq!(shelf.left()?, ["api:v1", &child]);
    let base = item(&done, &shelf.name("api", "v1"))?;
    assert!(
        base["reasons"].to_string().contains("built on it"),
        "{base}"
    );
    let theirs = item(&done, &child)?;
    assert!(
        theirs["reasons"].to_string().contains("not of this app"),
        "{theirs}"
    );
    ensure!(!done.stdout.contains(&other.app), "{}", done.stdout);
    Ok(())
}

#[test]
fn an_image_with_two_names_goes_whole_or_stays_whole() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    let both = shelf.add("api", "v1", 1)?;
    shelf.tag(&both, &shelf.name("api", "again"))?;
    shelf.tag(&both, &shelf.name("worker", "v1"))?;
    shelf.add("api", "v2", 2)?;
    shelf
        .prune(&["images", "--keep-releases", "2"])?
        .expect(0)?;
    assert_eq!(
        shelf.left()?,
        ["api:again", "api:v1", "api:v2", "worker:v1"]
    );
    shelf
        .prune(&["images", "--keep-releases", "1"])?
        .expect(0)?;
    assert_eq!(shelf.left()?, ["api:v2"]);
    Ok(())
}

#[test]
fn one_that_lost_its_name_goes() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    shelf.add("api", "v1", 1)?;
    shelf.add("api", "v1", 2)?;
    assert_eq!(shelf.left()?.len(), 2);
    shelf.prune(&["images"])?.expect(0)?;
    assert_eq!(shelf.left()?, ["api:v1"]);
    Ok(())
}

#[test]
fn a_docker_that_is_down_is_unreachable() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    for command in ["images", "builds"] {
        let tool = shelf.tool("production", &[command])?;
        let ended = tool
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .run()?
            .expect(12)?;
        assert!(ended.message().contains("docker"), "{}", ended.message());
    }
    Ok(())
}

#[test]
fn without_an_app_there_are_no_images_to_prune() -> Result<()> {
    let store = th_kit::Store::new()?;
    let tool = store
        .target(th_kit::Tool::new("th-prune")?)
        .args(["images"]);
    tool.run()?.expect(2)?;
    Ok(())
}

#[test]
fn kill_9_in_the_middle_and_once_more() -> Result<()> {
    let shelf = Shelf::new(&["production"])?;
    for moment in 1..=4 {
        for day in 1..=12 {
            let id = shelf.add("api", &format!("v{day}"), day)?;
            shelf.tag(&id, &shelf.name("api", &format!("also-v{day}")))?;
        }
        let start = Instant::now();
        shelf
            .prune(&["images", "--keep-releases", "2", "--plan"])?
            .expect(0)?;
        let before = start.elapsed();
        let running = shelf
            .tool("production", &["images", "--keep-releases", "2"])?
            .start()?;
        thread::sleep(before + before.mul_f64(0.4 * f64::from(moment)));
        running.kill();
        let left = shelf.left()?;
        for name in ["api:v11", "api:v12", "api:also-v11", "api:also-v12"] {
            ensure!(left.contains(&name.to_owned()), "moment {moment}: {left:?}");
        }
        shelf
            .prune(&["images", "--keep-releases", "2"])?
            .expect(0)?;
        assert_eq!(
            shelf.left()?,
            ["api:also-v11", "api:also-v12", "api:v11", "api:v12"]
        );
    }
    Ok(())
}

#[test]
fn the_build_cache_is_shown_and_what_is_young_stays() -> Result<()> {
    // Only looked at: the cache belongs to everybody on this host.
    let shelf = Shelf::new(&["production"])?;
    let count = |ended: &th_kit::Ended, what: &str| {
        ended.data()["parts"][0][what].as_u64().unwrap_or_default()
    };
    let plan = shelf
        .prune(&["builds", "--older-than", "0s", "--plan"])?
        .expect(0)?;
    let all = items(&plan)?.len() as u64;
    assert_eq!(
        count(&plan, "deleted_count") + count(&plan, "kept_count"),
        all
    );
    let done = shelf
        .prune(&["builds", "--older-than", "36500d"])?
        .expect(0)?;
    assert_eq!(count(&done, "deleted_count"), 0, "{}", done.record);
    assert_eq!(done.record["changed"], false);
    Ok(())
}
