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
    location / { if (-f /r/run/maintenance) { return 503; } @LOCATION@ proxy_pass http://app_api; } } }
";

fn config(http: &str, upstream: &str, location: &str) -> Vec<Directive> {
    fill(CONFIG, http, upstream, location)
}

fn fill(text: &str, http: &str, upstream: &str, location: &str) -> Vec<Directive> {
    let text = text
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
        maintenance: "/r/run/maintenance".into(),
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
fn what_every_server_says_need_not_be_said_for_all() {
    let text = CONFIG.replace("listen 80;", &format!("listen 80; {MIN}"));
    let with = |http| names(NEW, Mode::Lanes, &fill(&text, http, "", CLOSE));
    assert_eq!(with(""), [""; 0]);
    assert_eq!(with("server { listen 81; }"), ["keepalive_min_timeout"]);
}

#[test]
fn a_site_that_passes_nothing_to_the_slots() {
    let with = |pass: &str| {
        let text = CONFIG.replace("http://app_api", pass);
        names(NEW, Mode::Lanes, &fill(&text, MIN, "", CLOSE))
    };
    assert_eq!(with("http://127.0.0.1:8971"), ["not_passed"]);
    assert_eq!(with("http://app_api/x"), [""; 0]);
    assert_eq!(with("http://$pool"), [""; 0], "that is not known");
}

#[test]
fn a_name_of_this_host_is_told_from_a_server_that_is_elsewhere() {
    let main = parse(
        "# configuration file /n:\nworker_shutdown_timeout 30s; http { keepalive_min_timeout 5s;
         upstream app_api { server localhost:8001; }
         server { proxy_http_version 1.1; location / { if (-f /m) {} proxy_pass http://app_api; } } }\n",
    );
    let server = WebServer {
        version: Some(NEW),
        main: &main,
        mode: Mode::Reload,
        wanted: vec![Wanted {
            service: "api".into(),
            upstream: "app_api".into(),
            servers: vec!["127.0.0.1:8001".into(), "127.0.0.1:8002".into()],
        }],
        include: "/r/nginx/ports.conf".into(),
        drain: Duration::from_secs(30),
        maintenance: "/m".into(),
        migrates: false,
    };
    let found = server.findings();
    let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["localhost"]);
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
    let wanted = [
        "worker_shutdown_timeout",
        "upstream_missing",
        "maintenance_page",
    ];
    assert_eq!(found, wanted);
}
