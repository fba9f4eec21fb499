//! Releases that go well: the first, the next, and the way back.

use anyhow::Result;
use th_kit::SlotApp;

#[test]
fn a_first_release_a_second_one_and_the_way_back() -> Result<()> {
    let app = SlotApp::new()?;
    let first = app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
    assert_eq!(first.data()["slot"], "blue");
    assert_eq!(first.data()["receipt"]["failed"], 0);
    assert_eq!(app.answer()?, "v1 blue");

    let second = app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    let receipt = &second.data()["receipt"];
    assert_eq!(
        (&receipt["failed"], &receipt["cut"]),
        (&0.into(), &0.into()),
        "{receipt}"
    );
    assert!(receipt["requests"].as_u64() > Some(50), "{receipt}");
    assert!(receipt["first_new_ms"].as_u64() < Some(500), "{receipt}");
    assert!(receipt["drain_seconds"].as_f64() < Some(5.0), "{receipt}");
    assert_eq!(
        (app.answer()?, app.lanes()?),
        ("v2 green".into(), vec!["green".into()])
    );
    assert_eq!(app.running("api")?, ["green"]);
    app.swap(&["status"])?.run()?.expect(0)?;

    let back = app.swap(&["rollback"])?.run()?.expect(0)?;
    assert_eq!(back.data()["booted"], true);
    assert_eq!(app.answer()?, "v1 blue");
    app.swap(&["status"])?.run()?.expect(0)?;
    Ok(())
}
