//! The maintenance page: on and off without a reload, while health stays green.

use std::fs;

use anyhow::{Context, Result, ensure};
use th_kit::SlotApp;

use crate::swap_canary_users::{Answer, Connection};

/// What a site needs for the page.
const SITE: &str = r#"
map $cookie_th_client $th_client { default $cookie_th_client; "" $remote_addr; }
map $realpath_root $th_retry_after { default 120; "~/retry-after-(?<seconds>[0-9]+)$" $seconds; }
include @ROOT@/nginx/lanes.conf;
server {
  listen @ADDRESS@;
  proxy_http_version 1.1;
  proxy_set_header Connection close;
  error_page 503 @maintenance;
  location @maintenance {
    root @ROOT@/run/maintenance;
    add_header Retry-After $th_retry_after always;
    default_type text/plain;
    return 503 "back soon\n";
  }
  location /health { proxy_pass http://@APP@_test_api; }
  location / {
    if (-f @ROOT@/run/maintenance) { return 503; }
    proxy_pass http://@APP@_test_api;
  }
}
"#;

fn app() -> Result<SlotApp> {
    let app = SlotApp::released()?;
    let root = app.path("");
    let root = root.to_str().context("not UTF-8")?.trim_end_matches('/');
    let site = SITE.replace("@ROOT@", root).replace("@APP@", app.name());
    app.nginx()
        .configure(&site.replace("@ADDRESS@", &app.nginx().address()))?;
    app.nginx().halt()?;
    app.nginx().resume()?;
    Ok(app)
}

fn get(app: &SlotApp, path: &str) -> Result<Answer> {
    Connection::to(&app.nginx().address())?.get(path, 1)
}

#[test]
fn on_and_off_and_each_again() -> Result<()> {
    let app = app()?;
    assert_eq!(get(&app, "/")?.status, 200);
    let mut connection = Connection::to(&app.nginx().address())?;
    assert_eq!(connection.get("/", 1)?.status, 200);

    let on = app
        .swap(&["maintenance", "on", "--retry-after", "90s"])?
        .run()?
        .expect(0)?;
    assert_eq!(on.record["changed"], true);
    assert_eq!(on.data()["retry_after_seconds"], 90);
    // On the connection that was there before, too.
    let answer = connection.get("/", 1)?;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("90"))
    );
    assert_eq!(get(&app, "/health")?.status, 200);

    let again = ["maintenance", "on", "--retry-after", "90s"];
    let again = app.swap(&again)?.run()?.expect(0)?;
    assert_eq!(again.record["changed"], false);
    let longer = ["maintenance", "on", "--retry-after", "10m"];
    let longer = app.swap(&longer)?.run()?.expect(0)?;
    assert_eq!(longer.record["changed"], true);
    assert_eq!(get(&app, "/")?.header("retry-after"), Some("600"));
    let status = app.swap(&["status"])?.run()?;
    assert_eq!(status.data()["maintenance"], true, "{}", status.record);

    for changed in [true, false] {
        let off = app.swap(&["maintenance", "off"])?.run()?.expect(0)?;
        assert_eq!(off.record["changed"], changed);
        assert_eq!(get(&app, "/")?.status, 200);
    }
    let left = fs::read_dir(app.path("run"))?.count();
    assert_eq!(left, 3, "blue, green and lanes");
    Ok(())
}

#[test]
fn a_file_made_by_hand_counts_and_is_taken_away() -> Result<()> {
    let app = app()?;
    fs::write(app.path("run/maintenance"), "")?;
    let answer = get(&app, "/")?;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("120"))
    );
    let on = app.swap(&["maintenance", "on"])?.run()?.expect(0)?;
    assert_eq!(on.record["changed"], true);
    app.swap(&["maintenance", "off"])?.run()?.expect(0)?;
    assert_eq!(get(&app, "/")?.status, 200);
    Ok(())
}

#[test]
fn a_plan_changes_nothing() -> Result<()> {
    let app = app()?;
    let plan = app
        .swap(&["maintenance", "on", "--plan"])?
        .run()?
        .expect(0)?;
    assert_eq!(plan.record["dry_run"], true);
    assert_eq!(get(&app, "/")?.status, 200);
    Ok(())
}

#[test]
fn a_release_that_the_page_would_fail_is_refused() -> Result<()> {
    let app = app()?;
    let front = app.nginx().address();
    app.write_config(&format!(
        "nginx = {{ front = \"http://{front}\", probes = [\"/health\", \"/\"] }}"
    ))?;
    app.swap(&["maintenance", "on"])?.run()?.expect(0)?;
    let ended = app.swap(&["to", "--tag", "v2"])?.run()?.expect(13)?;
    ensure!(
        ended
            .message()
            .contains("GET / answers 503: the maintenance page is on"),
        "{}",
        ended.record
    );
    // With probes that answer all the while, it goes through.
    app.write_config("")?;
    app.swap(&["to", "--tag", "v2"])?.run()?.expect(0)?;
    let refused = ["maintenance", "on", "--retry-after", "500ms"];
    app.swap(&refused)?.run()?.expect(2)?;
    Ok(())
}
