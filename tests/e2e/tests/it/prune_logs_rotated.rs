//! etc/logrotate.d/th: the journal is rotated under nobody's hands, and what is rotated is a log.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::setup::Home;

#[test]
fn the_journal_is_rotated_and_goes_on() -> Result<()> {
    let home = Home::new(
        "app = \"a\"\n[env.test]\nroot = \"app\"\n[env.test.files]\nuploads = \"uploads\"\n\
         [env.test.backup]\nstore = \"store\"\n\
         [env.test.retention]\nlogs = [\"state/journal.jsonl.*\"]\nlogs_for = \"0s\"\n",
    )?;
    fs::create_dir_all(home.path().join("app/uploads"))?;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc/logrotate.d/th");
    let text = fs::read_to_string(shipped)?;
    ensure!(text.contains("/home/*/*/state"), "{text}");
    let text = text.replace("/home/*/*", &format!("{}/*", home.path().display()));
    let conf = home.path().join("logrotate.conf");
    fs::write(&conf, text)?;
    fs::set_permissions(&conf, fs::Permissions::from_mode(0o644))?;

    let state = home.path().join("app/state");
    let journal = || fs::read_to_string(state.join("journal.jsonl"));
    for _ in 0..3 {
        home.backup(&["-e", "test"])?.expect(0)?;
        assert_eq!(journal()?.lines().count(), 1);
        let rotated = Command::new("logrotate")
            .args(["--force", "--state"])
            .arg(home.path().join("rotated"))
            .arg(&conf)
            .output()?;
        let said = String::from_utf8_lossy(&rotated.stderr);
        ensure!(rotated.status.success() && said.is_empty(), "{said}");
        assert_eq!(journal()?, "");
        let mode = fs::metadata(state.join("journal.jsonl"))?.permissions();
        assert_eq!(mode.mode() & 0o777, 0o640);
    }
    // The newest stays; two are older.
    let ended = home.tool("th-prune")?.args(["logs", "-e", "test"]).run()?;
    assert_eq!(ended.expect(0)?.data()["parts"][0]["deleted_count"], 2);
    assert!(state.join("journal.jsonl.1").exists());
    Ok(())
}
