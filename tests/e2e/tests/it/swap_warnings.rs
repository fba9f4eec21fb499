//! What the doctor finds, a release is warned of.

use anyhow::{Result, ensure};
use th_kit::SlotApp;

#[test]
fn a_release_says_what_the_doctor_finds_and_goes_on() -> Result<()> {
    let app = SlotApp::released()?;
    for args in [
        ["to", "--tag", "v2", "--plan"].as_slice(),
        &["to", "--tag", "v2", "--hold", "0s"],
    ] {
        let ended = app.swap(args)?.run()?.expect(0)?;
        // Its compose file has no restart policy. That its nginx is not the one of this host's
        // configuration is nothing to warn of.
        let warnings = ended.record["warnings"].as_array().cloned();
        let warnings = warnings.unwrap_or_default();
        let [warning] = warnings.as_slice() else {
            anyhow::bail!("{warnings:#?}");
        };
        let text = warning.as_str().unwrap_or_default();
        ensure!(text.starts_with("restart_policy ("), "{text}");
        ensure!(text.ends_with("fix: set restart: unless-stopped"), "{text}");
    }

    // Who goes back is in a hurry.
    let ended = app.swap(&["rollback", "--to", "v1"])?.run()?.expect(0)?;
    ensure!(
        ended.record["warnings"] == serde_json::json!([]),
        "{:#}",
        ended.record["warnings"]
    );
    Ok(())
}
