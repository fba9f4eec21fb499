//! The predecessor of the compose plugin, which Debian 12 has.

use std::process::Command;

use anyhow::Result;
use th_kit::{SlotApp, Tool};

/// Tells whether `program` with `args` ends well with the plugins of `config` only.
fn runs(program: &str, args: &[&str], config: &str) -> bool {
    let mut command = Command::new(program);
    command.args(args).env("DOCKER_CONFIG", config);
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn without_the_plugin_its_predecessor_does() -> Result<()> {
    let config = tempfile::tempdir()?;
    let config = config.path().to_string_lossy().into_owned();
    // A plugin that is installed for all cannot be hidden, and the predecessor need not be there.
    if runs("docker", &["compose", "version"], &config)
        || !runs("docker-compose", &["version"], &config)
    {
        return Ok(());
    }
    let app = SlotApp::new()?;
    app.add_worker()?;
    app.write_config("exclusive = [\"worker\"]")?;
    let swap =
        |args: &[&str]| -> Result<Tool> { Ok(app.swap(args)?.env("DOCKER_CONFIG", &config)) };
    swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    let second = swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    assert_eq!(second.data()["receipt"]["failed"], 0);
    assert_eq!(app.answer()?, "v2 green");
    for service in ["api", "worker"] {
        assert_eq!(app.running(service)?, ["green"]);
    }
    app.sicken("v3", "exit=7")?;
    swap(&["to", "--tag", "v3"])?.run()?.expect(20)?;
    swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    for service in ["api", "worker"] {
        assert_eq!(app.running(service)?, ["blue"]);
    }
    Ok(())
}
