use super::*;

fn good() -> Service {
    Service {
        name: "app-staging-blue-api-1".into(),
        project: "app-staging-blue".into(),
        argv: ["uvicorn", "app:app"].map(str::to_owned).to_vec(),
        first: Some("/usr/bin/python3".into()),
        init: false,
        stop_timeout: Duration::from_secs(30),
        healthcheck: true,
        restart: "unless-stopped".into(),
        binds: vec![bind("/r/run/blue", "/run/th", Is::Directory)],
        published: vec![],
        program: Some(Program {
            name: "uvicorn",
            keep_alive: Duration::from_secs(75),
            graceful: Some(Duration::from_secs(20)),
        }),
        nginx_keeps: None,
    }
}

fn bind(source: &str, target: &str, is: Is) -> Bind {
    Bind {
        source: source.into(),
        target: target.into(),
        is,
    }
}

fn names(service: &Service) -> Vec<String> {
    let found = service.findings(Mode::Lanes);
    found.into_iter().map(|it| it.name).collect()
}

#[test]
fn a_good_one_is_silent() {
    assert_eq!(good().findings(Mode::Lanes), []);
    assert_eq!(good().findings(Mode::Reload), []);
}

#[test]
fn files_and_sockets_mounted_by_themselves() {
    let with = |bind| Service {
        binds: vec![bind],
        ..good()
    };
    let socket = with(bind("/r/run/blue/api.sock", "/run/api.sock", Is::Socket));
    assert_eq!(names(&socket), ["single_file_mount"]);
    let file = with(bind("/r/app.ini", "/etc/app.ini", Is::File));
    assert_eq!(names(&file), ["single_file_mount"]);
    let zone = with(bind("/usr/share/zoneinfo/UTC", "/etc/localtime", Is::File));
    assert_eq!(names(&zone), [""; 0]);
    let engine = with(bind("/run/docker.sock", "/run/docker.sock", Is::Socket));
    assert_eq!(names(&engine), [""; 0]);
}

#[test]
fn a_shell_is_told_from_what_it_has_become() {
    let with = |argv: [&str; 3], first: Option<&str>, init| Service {
        argv: argv.map(str::to_owned).to_vec(),
        first: first.map(str::to_owned),
        init,
        ..good()
    };
    let line = "uvicorn app:app";
    assert_eq!(
        names(&with(["/bin/sh", "-c", line], Some("/bin/dash"), false)),
        ["shell_form"]
    );
    assert_eq!(
        names(&with(
            ["/bin/sh", "-c", line],
            Some("/usr/bin/python3"),
            false
        )),
        [""; 0]
    );
    assert_eq!(
        names(&with(["/bin/sh", "-c", line], None, false)),
        ["shell_form"]
    );
    assert_eq!(
        names(&with(["/bin/sh", "-c", "exec uvicorn"], None, false)),
        [""; 0]
    );
    let below_an_init = with(["/bin/sh", "-c", line], Some("/sbin/docker-init"), true);
    assert_eq!(names(&below_an_init), ["shell_form"]);
}

#[test]
fn grace_periods() {
    let mut service = good();
    service.stop_timeout = Duration::from_secs(10);
    let found = service.findings(Mode::Lanes);
    assert_eq!(found[0].name, "stop_grace_period");
    assert_eq!(found[0].fix, "set stop_grace_period: 25s");
    service.program = service.program.map(|program| Program {
        graceful: None,
        ..program
    });
    assert_eq!(names(&service), ["graceful_timeout"]);
    service.program = None;
    assert_eq!(
        names(&service),
        [""; 0],
        "of an unknown program nothing is known"
    );
}

#[test]
fn idle_connections_must_end_at_nginx_first() {
    let with = |nginx_keeps| Service {
        nginx_keeps: Some(Duration::from_secs(nginx_keeps)),
        ..good()
    };
    assert_eq!(names(&with(60)), [""; 0]);
    assert_eq!(names(&with(75)), ["keep_alive"]);
}

#[test]
fn health_restart_names_and_ports() {
    let mut service = good();
    service.healthcheck = false;
    service.restart = "no".into();
    service.name = "api".into();
    service.published = vec!["0.0.0.0:8000".into()];
    let wanted = [
        "no_healthcheck",
        "restart_policy",
        "container_name",
        "published_port",
    ];
    assert_eq!(names(&service), wanted);
    let by_reload = |address: &str| {
        let published = vec![address.to_owned()];
        Service {
            published,
            ..good()
        }
        .findings(Mode::Reload)
        .len()
    };
    assert_eq!(
        (by_reload("127.0.0.1:8001"), by_reload("0.0.0.0:8001")),
        (0, 1)
    );
}
