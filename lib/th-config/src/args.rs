//! The flags by which every tool is told what to act on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::document::{self, Document, Section};
use crate::{Backup, Database, Environment, Error, Files, Secret, Server};

/// The directory of an environment's state.
const STATE: &str = "state";

/// What to act on: an environment of th.toml, or flags alone. Flags win over th.toml.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// Read this configuration file [default: ./th.toml, then /etc/th/th.toml]
    #[arg(long, env = "TH_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Act on this environment of the configuration file
    #[arg(short, long, env = "TH_ENV", value_name = "ENV", global = true)]
    pub env: Option<String>,
    /// Reach the database by this address, with the host's client programs
    #[arg(
        long,
        env = "TH_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        global = true,
        conflicts_with = "container"
    )]
    pub url: Option<Secret>,
    /// Reach the database in this container, with its own client programs
    #[arg(long, value_name = "NAME", global = true)]
    pub container: Option<String>,
    /// Name of the database
    #[arg(long, value_name = "NAME", global = true)]
    pub database: Option<String>,
    /// Role to work as
    #[arg(long, value_name = "ROLE", global = true)]
    pub user: Option<String>,
    /// Directory of the app's files
    #[arg(long, value_name = "DIR", global = true)]
    pub files: Option<PathBuf>,
    /// Directory of the store
    #[arg(long, env = "TH_STORE", value_name = "DIR", global = true)]
    pub store: Option<PathBuf>,
}

impl TargetArgs {
    /// Resolves the flags and the configuration file.
    ///
    /// # Errors
    /// [`Error`], which says where the mistake is.
    pub fn resolve(&self) -> Result<Environment, Error> {
        match self.find_file()? {
            Some((path, text)) => self.resolve_document(&path, Document::parse(&path, &text)?),
            None => match &self.env {
                Some(name) => Err(Error::NoFile(name.clone())),
                None => self.assemble(None, Path::new("."), Section::default()),
            },
        }
    }

    /// Returns the configuration file and its text. One that is named must be there; the others
    /// are only looked for when the flags do not suffice.
    fn find_file(&self) -> Result<Option<(PathBuf, String)>, Error> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })
        };
        if let Some(path) = &self.config {
            return Ok(Some((path.clone(), read(path)?)));
        }
        let flags_suffice = self.env.is_none() && self.store.is_some();
        for path in [Path::new("th.toml"), Path::new("/etc/th/th.toml")] {
            if !flags_suffice && path.exists() {
                return Ok(Some((path.to_owned(), read(path)?)));
            }
        }
        Ok(None)
    }

    fn resolve_document(&self, path: &Path, mut document: Document) -> Result<Environment, Error> {
        let names: Vec<String> = document.env.keys().cloned().collect();
        let name = match (&self.env, names.as_slice()) {
            (Some(name), _) => name.clone(),
            (None, [only]) => only.clone(),
            (None, _) => {
                let names = if names.is_empty() {
                    vec!["none".into()]
                } else {
                    names
                };
                return Err(Error::Unnamed {
                    path: path.to_owned(),
                    names,
                });
            }
        };
        let Some(section) = document.env.remove(&name) else {
            return Err(Error::NoEnvironment {
                path: path.to_owned(),
                name,
                names,
            });
        };
        let place = path.parent().unwrap_or(Path::new(""));
        let root = place.join(&section.root);
        let neighbours = document
            .env
            .into_iter()
            .map(|(name, section)| (name, place.join(section.root).join(STATE)))
            .collect();
        let env = self.assemble(Some((document.app, name)), &root, section)?;
        Ok(Environment { neighbours, ..env })
    }

    fn assemble(
        &self,
        label: Option<(String, String)>,
        root: &Path,
        section: Section,
    ) -> Result<Environment, Error> {
        let from_flags = label.is_none();
        let Section {
            env_file,
            database,
            files,
            backup,
            retention,
            slots,
            ..
        } = section;
        if !backup.recipients.is_empty() {
            return Err(Error::Later {
                setting: "backup.recipients",
                hint: "encryption comes with a later version; until then remove the key, and keep \
                       the store on an encrypted disk",
            });
        }
        if backup.offsite.is_some() {
            return Err(Error::Later {
                setting: "backup.offsite",
                hint: "off-site stores come with a later version; until then remove the key, and \
                       copy the store's directory with rsync",
            });
        }
        let env_file = env_file.map(|file| root.join(file));
        let variables = match &env_file {
            Some(file) => env_file_variables(file)?,
            None => BTreeMap::new(),
        };
        let store = match (&self.store, backup.store) {
            (Some(flag), _) => flag.clone(),
            (None, Some(key)) => root.join(key),
            // Releases alone need none.
            (None, None) if slots.is_some() => root.join("backups"),
            (None, None) => {
                return Err(Error::Missing {
                    what: "store",
                    hint: "give --store DIR, or [env.NAME.backup] store = \"…\" in th.toml",
                });
            }
        };
        let state = if from_flags {
            store.join(STATE)
        } else {
            root.join(STATE)
        };
        let (app, name) = label.unzip();
        Ok(Environment {
            app,
            name,
            state,
            neighbours: Vec::new(),
            database: self.database(database, &variables)?,
            files: Files {
                uploads: self
                    .files
                    .clone()
                    .or_else(|| files.uploads.map(|path| root.join(path))),
                root: root.to_owned(),
                config: files.config,
                references: files.references,
                exclude: files.exclude,
            },
            backup: Backup {
                store,
                compression: backup.compression,
                app_query: backup.app_query,
            },
            retention,
            env_file,
            slots: slots.map(|slots| slots.resolve(root)).transpose()?,
        })
    }

    fn database(
        &self,
        section: document::Database,
        variables: &BTreeMap<String, String>,
    ) -> Result<Option<Database>, Error> {
        let document::Database {
            url,
            container,
            compose,
            name,
            user,
        } = section;
        let given = [url.is_some(), container.is_some(), compose.is_some()]
            .iter()
            .filter(|x| **x)
            .count();
        if given > 1 {
            return Err(Error::Value {
                setting: "database",
                message: "give one of url, container and compose".into(),
            });
        }
        let server = if let Some(url) = &self.url {
            Server::Url(url.clone())
        } else if let Some(container) = &self.container {
            Server::Container(container.clone())
        } else if let Some(url) = url {
            Server::Url(Secret::new(expand(&url, variables)?))
        } else if let Some(container) = container {
            Server::Container(container)
        } else if let Some(document::Compose { project, service }) = compose {
            Server::Compose { project, service }
        } else {
            return Ok(None);
        };
        let name = self.database.clone().or(name);
        let user = self.user.clone().or(user);
        Ok(Some(Database { server, name, user }))
    }
}

/// Replaces each `${NAME}` in an address by the variable's value, percent-encoded: a password may
/// hold any character.
fn expand(url: &str, variables: &BTreeMap<String, String>) -> Result<String, Error> {
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once("${") {
        let invalid = |message| Error::Value {
            setting: "database.url",
            message,
        };
        let (name, tail) = after
            .split_once('}')
            .ok_or_else(|| invalid("'${' without '}'".into()))?;
        let value = variables
            .get(name)
            .cloned()
            .or_else(|| std::env::var(name).ok())
            .ok_or_else(|| {
                invalid(format!(
                    "${{{name}}} is neither in env_file nor in the environment"
                ))
            })?;
        out.push_str(before);
        out.extend(percent_encoding::utf8_percent_encode(
            &value,
            percent_encoding::NON_ALPHANUMERIC,
        ));
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Reads `NAME=value` lines as Docker Compose's env files have them: comments, `export `, and
/// values in single or double quotes.
fn env_file_variables(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let unquoted = |value: &str| {
        let value = value.trim();
        ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or(value)
            .to_owned()
    };
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), unquoted(value)))
        .collect())
}

#[cfg(test)]
mod tests {
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
    fn flags_alone_suffice() {
        let args = TargetArgs {
            store: Some("s".into()),
            ..TargetArgs::default()
        };
        let env = args.resolve().unwrap();
        assert_eq!((env.name, env.state), (None, PathBuf::from("s/state")));
    }

    #[test]
    fn what_comes_later_and_what_is_not_there_is_refused() {
        let later = PRODUCTION.replace("store =", "recipients = [\"age1x\"]\nstore =");
        let refused = in_dir(&later, "PW=x", TargetArgs::default()).unwrap_err();
        assert!(matches!(
            refused,
            Error::Later {
                setting: "backup.recipients",
                ..
            }
        ));
        let args = TargetArgs {
            env: Some("staging".into()),
            ..TargetArgs::default()
        };
        assert!(matches!(
            in_dir(PRODUCTION, "PW=x", args),
            Err(Error::NoEnvironment { .. })
        ));
    }
}
