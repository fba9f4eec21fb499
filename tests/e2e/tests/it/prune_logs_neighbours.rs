//! An environment whose root is below another's has its files to itself.

use std::fs;

use anyhow::Result;

use crate::setup::Home;

#[test]
fn the_files_of_an_environment_below_are_not_logs_of_the_one_above() -> Result<()> {
    let home = Home::new(
        "app = \"a\"\n[env.production]\nroot = \".\"\n[env.production.backup]\n\
         store = \"store\"\n[env.production.retention]\nlogs = [\"**/*.log*\"]\n\
         logs_for = \"0s\"\n[env.staging]\nroot = \"staging\"\n[env.staging.backup]\n\
         store = \"store\"\n[env.staging.retention]\nlogs = [\"**/*.log*\"]\nlogs_for = \"0s\"\n",
    )?;
    let dirs = ["logs", "staging/uploads", "staging/state"];
    let names = ["a.log", "a.log.1", "report-1.log", "report-2.log"];
    let paths = || dirs.iter().flat_map(|dir| names.map(|name| (*dir, name)));
    for (dir, name) in paths() {
        fs::create_dir_all(home.path().join(dir))?;
        fs::write(home.path().join(dir).join(name), name)?;
    }
    let prune = |environment: &str| {
        home.tool("th-prune")?
            .args(["logs", "-e", environment])
            .run()
    };
    prune("production")?.expect(0)?;
    let left = || paths().filter(|(dir, name)| home.path().join(dir).join(name).exists());
    assert!(left().filter(|(dir, _)| *dir == "logs").count() < names.len());
    assert_eq!(left().filter(|(dir, _)| *dir != "logs").count(), 8);
    // The other way round there is nothing above that a glob could reach.
    let logs = left().filter(|(dir, _)| *dir == "logs").count();
    prune("staging")?.expect(0)?;
    assert_eq!(left().filter(|(dir, _)| *dir == "logs").count(), logs);
    Ok(())
}
