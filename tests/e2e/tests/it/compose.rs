//! A database that is named as a service of a compose project.

use anyhow::Result;
use serde_json::json;
use th_kit::{ContainerServer, Ended, Idle, Server, database_state};

use crate::setup::{Home, bulk};

/// Labels as Docker Compose gives them.
fn labels(project: &str) -> [String; 2] {
    [
        format!("com.docker.compose.project={project}"),
        "com.docker.compose.service=db".to_owned(),
    ]
}

fn home(project: &str, database: &str) -> Result<Home> {
    Home::new(&format!(
        "app = \"a\"\n[env.test]\nroot = \".\"\n\
         [env.test.database]\ncompose = {{ project = \"{project}\", service = \"db\" }}\n\
         name = \"{database}\"\nuser = \"postgres\"\n\
         [env.test.backup]\nstore = \"store\"\n"
    ))
}

/// A project of this process alone.
fn project(suffix: &str) -> String {
    format!("th-e2e-{}-{suffix}", std::process::id())
}

fn restore(home: &Home, args: &[&str]) -> Result<Ended> {
    home.tool("th-restore")?.args(args).run()
}

#[test]
fn the_service_is_found_by_its_labels() -> Result<()> {
    let name = project("found");
    let labels = labels(&name);
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let server = ContainerServer::labelled(15, &labels)?;
    // Of `compose run`, and of another project: not the service.
    let _oneoff = Idle::start(&[&labels[..], &["com.docker.compose.oneoff=True"]].concat())?;
    let other = self::labels(&project("other"));
    let _other = Idle::start(&[&other[0], &other[1]])?;

    let database = server.database_with("shop", &bulk(100))?;
    let home = home(&name, &database)?;
    let original = database_state(&server, &database)?;
    home.backup(&[])?.expect(0)?;
    server.psql(&database, "UPDATE marker SET word = 'live'")?;
    restore(&home, &["apply"])?.expect(0)?;
    assert!(database_state(&server, &database)? == original);

    // Two replicas: which of them is meant?
    let replica = Idle::start(&labels)?;
    for ended in [home.backup(&[])?, restore(&home, &["apply"])?] {
        let ended = ended.expect(1)?;
        let message = ended.message();
        for container in [server.name(), replica.name()] {
            assert!(message.contains(container), "{message}");
        }
        assert_eq!(ended.record["changed"], json!(false));
    }
    drop(replica);

    server.halt()?;
    for ended in [home.backup(&[])?, restore(&home, &["apply"])?] {
        let ended = ended.expect(12)?;
        assert!(
            ended.message().contains(server.name()),
            "{}",
            ended.message()
        );
    }
    Ok(())
}

#[test]
fn a_service_that_is_not_there_is_named() -> Result<()> {
    let name = project("none");
    let home = home(&name, "shop")?;
    let ended = home.backup(&[])?.expect(10)?;
    assert!(ended.message().contains(&name), "{}", ended.message());
    assert!(ended.message().contains("db"), "{}", ended.message());
    assert!(!home.path().join("store").exists());
    Ok(())
}
