//! A tag that was built anew since it was released is not what is gone back to.

use anyhow::{Result, ensure};
use th_kit::SlotApp;

/// Gives `tag` to an image with the same app that is another one all the same.
fn rebuild(app: &SlotApp, tag: &str) -> Result<(String, String)> {
    let name = format!("{}:{tag}", app.name());
    let id = || app.docker(&["image", "inspect", "--format", "{{.Id}}", &name]);
    let before = id()?;
    let container = app.docker(&["create", &name])?;
    app.docker(&[
        "commit",
        "--change",
        "LABEL th.rebuilt=1",
        &container,
        &name,
    ])?;
    app.docker(&["rm", &container])?;
    Ok((before, id()?))
}

#[test]
fn other_code_under_the_same_tag_is_refused() -> Result<()> {
    let app = SlotApp::released()?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    let (before, now) = rebuild(&app, "v1")?;
    ensure!(before != now, "{now}");
    for args in [vec!["rollback"], vec!["rollback", "--to", "v1"]] {
        let ended = app.swap(&args)?.run()?.expect(13)?;
        assert_eq!(ended.record["changed"], false);
        for words in [&before, &now, "th-swap to --tag"] {
            ensure!(ended.message().contains(words), "{}", ended.record);
        }
        assert_eq!(app.answer()?, "v2 green");
        assert_eq!(app.running("api")?, ["green"]);
    }
    let plan = app.swap(&["rollback", "--plan"])?.run()?.expect(0)?;
    let gates = plan.data()["gates"].as_array().cloned().unwrap_or_default();
    let gate = gates.iter().find(|gate| gate["name"] == "same_image");
    ensure!(gate.is_some_and(|gate| gate["ok"] == false), "{gates:?}");

    // What the hint says works, and so does the image that it was.
    app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v2 green");
    app.docker(&["tag", &now, &format!("{}:v1", app.name())])?;
    app.swap(&["rollback", "--to", "v1"])?.run()?.expect(0)?;
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}
