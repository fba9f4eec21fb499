use super::*;
use crate::reload::parse;

const OLD: (u32, u32, u32) = (1, 22, 1);
const NEW: (u32, u32, u32) = (1, 27, 4);
const NEWEST: (u32, u32, u32) = (1, 29, 7);

/// `@MAIN@`, `@HTTP@`, `@UPSTREAM@` and `@LOCATION@` are filled in.
const CONFIG: &str = "# configuration file /etc/nginx/nginx.conf:
worker_shutdown_timeout 30s;
http { @HTTP@
  map $http_upgrade $to_close { default upgrade; '' close; }
  map $http_upgrade $to_nothing { default upgrade; '' ''; }
  upstream app_api { hash $th_client; @UPSTREAM@
    server unix:/r/run/lanes/00/api.sock max_fails=0;
    server unix:/r/run/lanes/01/api.sock max_fails=0; }
  server { listen 80; proxy_http_version 1.1;
    location / { @LOCATION@ proxy_pass http://app_api; } } }
";

fn config(http: &str, upstream: &str, location: &str) -> Vec<Directive> {
    let text = CONFIG
        .replace("@HTTP@", http)
        .replace("@UPSTREAM@", upstream)
        .replace("@LOCATION@", location);
    parse(&text)
}

fn names(version: (u32, u32, u32), mode: Mode, main: &[Directive]) -> Vec<String> {
    let lane = |number| format!("unix:/r/run/lanes/0{number}/api.sock");
    let server = WebServer {
        version: Some(version),
        main,
        mode,
        wanted: vec![Wanted {
            service: "api".into(),
            upstream: "app_api".into(),
            servers: vec![lane(0), lane(1)],
        }],
        include: "/r/nginx/lanes.conf".into(),
        drain: Duration::from_secs(30),
        migrates: false,
    };
    let found = server.findings();
    found.into_iter().map(|it| it.name).collect()
}

const CLOSE: &str = "proxy_set_header Connection close;";
const MIN: &str = "keepalive_min_timeout 5s;";

#[test]
fn a_reload_costs_connections_unless_nginx_is_new_and_told() {
    let with = |version, http| names(version, Mode::Reload, &config(http, "", CLOSE));
    assert_eq!(with(OLD, ""), ["nginx_version"]);
    assert_eq!(with(NEW, ""), ["keepalive_min_timeout"]);
    assert_eq!(with(NEW, MIN), [""; 0]);
    let too_long = "keepalive_min_timeout 5s; keepalive_timeout 5s;";
    assert_eq!(with(NEW, too_long), ["keepalive_min_timeout"]);
}

#[test]
fn with_lanes_an_old_nginx_is_good_enough() {
    assert_eq!(names(OLD, Mode::Lanes, &config("", "", CLOSE)), [""; 0]);
}

#[test]
fn kept_connections_to_a_slot_outlive_the_switch() {
    let with = |version, upstream, location| {
        let main = config(MIN, upstream, location);
        names(version, Mode::Lanes, &main)
    };
    let nothing = "proxy_set_header Connection '';";
    assert_eq!(with(NEW, "keepalive 8;", nothing), ["upstream_keepalive"]);
    assert_eq!(with(NEW, "keepalive 8;", CLOSE), [""; 0]);
    assert_eq!(with(NEW, "", nothing), [""; 0]);
    let [to_close, to_nothing] =
        ["to_close", "to_nothing"].map(|name| format!("proxy_set_header Connection ${name};"));
    assert_eq!(with(NEW, "keepalive 8;", &to_close), [""; 0]);
    assert_eq!(
        with(NEW, "keepalive 8;", &to_nothing),
        ["upstream_keepalive"]
    );
    // From 1.29.7 on that is what nginx does when nothing is said.
    assert_eq!(with(NEW, "", ""), [""; 0]);
    assert_eq!(with(NEWEST, "", ""), ["upstream_keepalive"]);
    assert_eq!(with(NEWEST, "keepalive 0;", ""), [""; 0]);
}

#[test]
fn nothing_is_said_of_what_is_not_there() {
    let found = names(
        OLD,
        Mode::Lanes,
        &parse("# configuration file /x:\nevents {}\n"),
    );
    assert_eq!(found, ["worker_shutdown_timeout", "upstream_missing"]);
}
