use th_record::Fail;

use super::*;

fn in_dir(toml: &str, env_file: &str, args: TargetArgs) -> Result<Environment, Error> {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("th.toml");
    fs::write(&config, toml).unwrap();
    fs::write(dir.path().join("secrets"), env_file).unwrap();
    TargetArgs {
        config: Some(config),
        ..args
    }
    .resolve()
}

const PRODUCTION: &str = r#"
app = "tracehub"
[env.production]
root = "."
env_file = "secrets"
[env.production.database]
url = "postgres://th:${PW}@localhost/tracehub"
[env.production.files]
uploads = "data/uploads"
[env.production.backup]
store = "/var/backups"
[env.production.slots]
compose = "docker-compose.prod.yml"
services = ["api"]
"#;

#[test]
fn paths_are_relative_to_the_root_and_secrets_come_from_the_env_file() {
    let env = in_dir(
        PRODUCTION,
        "# x\nexport PW=\"p@ss w%rd\"\n",
        TargetArgs::default(),
    )
    .unwrap();
    assert_eq!(env.name.as_deref(), Some("production"));
    assert!(env.files.uploads.unwrap().ends_with("data/uploads"));
    assert_eq!(env.backup.store, Path::new("/var/backups"));
    let Some(Database {
        server: Server::Url(url),
        ..
    }) = env.database
    else {
        panic!()
    };
    assert_eq!(
        url.expose(),
        "postgres://th:p%40ss%20w%25rd@localhost/tracehub"
    );
    assert!(!format!("{url:?}").contains("p%40ss"));
}

#[test]
fn the_other_environments_are_neighbours() {
    let two = format!("{PRODUCTION}[env.staging]\nroot = \"/srv/staging\"\n");
    let args = TargetArgs {
        env: Some("production".into()),
        ..TargetArgs::default()
    };
    let env = in_dir(&two, "PW=x", args).unwrap();
    let staging = ("staging".to_owned(), PathBuf::from("/srv/staging/state"));
    assert_eq!(env.neighbours, [staging]);
}

#[test]
fn flags_win_and_a_missing_variable_is_named() {
    let args = TargetArgs {
        container: Some("db".into()),
        ..TargetArgs::default()
    };
    let env = in_dir(PRODUCTION, "PW=x", args).unwrap();
    assert!(matches!(env.database.unwrap().server, Server::Container(name) if name == "db"));
    let error = in_dir(PRODUCTION, "", TargetArgs::default()).unwrap_err();
    assert!(error.to_string().contains("${PW}"), "{error}");
}

#[test]
fn a_server_of_a_flag_comes_without_the_name_and_the_role_of_another() {
    let named = PRODUCTION.replace("\nurl =", "\nname = \"live\"\nuser = \"app\"\nurl =");
    let of = |args: TargetArgs| {
        let database = in_dir(&named, "PW=x", args).unwrap().database.unwrap();
        (database.name, database.user)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of(TargetArgs::default()), (some("live"), some("app")));
    let url = TargetArgs {
        url: Some(Secret::new("postgres://th@/copy")),
        ..TargetArgs::default()
    };
    assert_eq!(of(url.clone()), (None, None));
    let container = TargetArgs {
        container: some("db"),
        ..TargetArgs::default()
    };
    assert_eq!(of(container), (None, None));
    let flags = TargetArgs {
        database: some("copy"),
        user: some("th"),
        ..url
    };
    assert_eq!(of(flags), (some("copy"), some("th")));
}

#[test]
fn paths_hold_from_any_directory() {
    let config = tempfile::NamedTempFile::new_in(".").unwrap();
    let toml = "app = \"a\"\n[env.p]\nroot = \".\"\n[env.p.files]\nuploads = \"./files\"\n\
                [env.p.backup]\nstore = \"backups\"\n";
    fs::write(&config, toml).unwrap();
    let args = TargetArgs {
        config: config.path().file_name().map(PathBuf::from),
        ..TargetArgs::default()
    };
    let (env, here) = (args.resolve().unwrap(), std::env::current_dir().unwrap());
    assert_eq!(env.files.root.as_os_str(), here.as_os_str());
    let uploads = env.files.uploads.unwrap();
    assert_eq!(uploads.as_os_str(), here.join("files").as_os_str());
    assert_eq!(env.backup.store, here.join("backups"));
    assert_eq!(env.state, here.join("state"));
}

#[test]
fn flags_alone_suffice() {
    let args = TargetArgs {
        store: Some("s".into()),
        ..TargetArgs::default()
    };
    let env = args.resolve().unwrap();
    let store = std::env::current_dir().unwrap().join("s");
    assert_eq!((env.name, env.state), (None, store.join("state")));
    assert_eq!(env.backup.store, store);
}

#[test]
fn a_value_is_pointed_at_wherever_it_is_checked() {
    let pointed = |toml: &str, at: &str| {
        let error = in_dir(toml, "PW=x", TargetArgs::default()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(&format!("th.toml:{at}: ")), "{message}");
        assert!(error.hint().is_some(), "{message}");
    };
    pointed(&format!("{PRODUCTION}lanes = 0\n"), "15:9");
    pointed(&PRODUCTION.replace("[\"api\"]", "[]"), "14:12");
    pointed(&PRODUCTION.replace("${PW}", "${NOT}"), "7:7");
    let two = PRODUCTION.replace("url =", "container = \"db\"\nurl =");
    pointed(&two, "6:1");
    // What a tool finds.
    let env = in_dir(PRODUCTION, "PW=x", TargetArgs::default()).unwrap();
    let wrong = |setting| {
        let message = "no".to_owned();
        env.locate(Error::Value { setting, message }).to_string()
    };
    assert!(wrong("backup.store").ends_with("th.toml:11:9: backup.store: no"));
    assert_eq!(wrong("backup.compression"), "backup.compression: no");
    assert!(!format!("{env:?}").contains("compose.prod.yml\"\nservices"));
}

#[test]
fn what_comes_later_and_what_is_not_there_is_refused() {
    let later = PRODUCTION.replace("store =", "recipients = [\"age1x\"]\nstore =");
    let refused = in_dir(&later, "PW=x", TargetArgs::default()).unwrap_err();
    let (message, hint) = (refused.to_string(), refused.hint());
    assert!(message.contains("th.toml:11:14: backup.recipients is not"));
    assert!(hint.unwrap().contains("remove the key"));
    let args = TargetArgs {
        env: Some("staging".into()),
        ..TargetArgs::default()
    };
    assert!(matches!(
        in_dir(PRODUCTION, "PW=x", args),
        Err(Error::NoEnvironment { .. })
    ));
}
