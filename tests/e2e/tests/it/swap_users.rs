//! What users met is told from what the tool asks itself, and the old slot's from the new one's.

use anyhow::{Result, ensure};

use crate::swap_canary::app;
use crate::swap_canary_users::Crowd;

#[test]
fn the_tools_own_requests_are_no_users() -> Result<()> {
    let app = app()?;
    let args = ["to", "--tag", "v2", "--hold", "2s"];
    let ended = app.swap(&args)?.run()?.expect(0)?;
    let watch = &ended.data()["watch"];
    assert_eq!((&watch["served"], &watch["errors"]), (&0.into(), &0.into()));
    ensure!(watch["requests"].as_u64() > Some(2), "{watch}");
    Ok(())
}

/// In the last step of a canary the new slot is slow, which is borne; it is no measure for the hold.
#[test]
fn after_a_canary_the_old_slot_alone_is_the_measure() -> Result<()> {
    let app = app()?;
    app.sicken("v2", "slow=0.4")?;
    let crowd = Crowd::start(&app.nginx().address(), 12);
    let args = ["canary", "--tag", "v2", "--steps", "50", "--every", "8s"];
    let more = [
        "--latency-factor",
        "1000",
        "--min-requests",
        "10",
        "--hold",
        "60s",
    ];
    let ended = app.swap(&args)?.args(more).run()?.expect(20)?;
    ensure!(
        ended.message().contains("19 of 20 requests take"),
        "{}",
        ended.record
    );
    let hold = ended.data()["watch"]["duration_seconds"].as_f64();
    ensure!(hold < Some(50.0), "{hold:?}");
    assert_eq!(crowd.finish()?.1, 0, "slow is not failed");
    assert_eq!(app.answer()?, "v1 blue");
    Ok(())
}
