//! The flags by which every tool is told what to act on.

mod env_file;

use std::collections::BTreeMap;
use std::fs;
use std::path::{self, Path, PathBuf};

use clap::Args;

use self::env_file::{env_file_variables, expand};
use crate::document::{self, Document, Section};
use crate::origin::Origin;
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
            Some((path, text)) => self.resolve_document(&path, &text),
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
        // A store alone is no more than where th.toml's environment is to be stored.
        let acts_on = self.url.is_some() || self.container.is_some() || self.files.is_some();
        let flags_suffice = self.env.is_none() && self.store.is_some() && acts_on;
        for path in [Path::new("th.toml"), Path::new("/etc/th/th.toml")] {
            if !flags_suffice && path.exists() {
                return Ok(Some((path.to_owned(), read(path)?)));
            }
        }
        Ok(None)
    }

    fn resolve_document(&self, path: &Path, text: &str) -> Result<Environment, Error> {
        let mut document = Document::parse(path, text)?;
        let names: Vec<String> = document.env.keys().cloned().collect();
        let name = match (&self.env, names.as_slice()) {
            (Some(name), _) => name.clone(),
            (None, [only]) => only.clone(),
            // None of them is meant: a store is enough to look at it.
            (None, _) if self.store.is_some() && self.config.is_none() => {
                return self.assemble(None, Path::new("."), Section::default());
            }
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
        let file = absolute(path)?;
        let place = file.parent().unwrap_or(Path::new("/"));
        let root = place.join(&section.root);
        let neighbours = document
            .env
            .into_iter()
            .map(|(name, section)| (name, place.join(section.root).join(STATE)))
            .collect();
        let origin = Origin::new(path, text, &name);
        let env = self
            .assemble(Some((document.app, name)), &root, section)
            .map_err(|error| origin.locate(error))?;
        Ok(Environment {
            neighbours,
            origin: Some(origin),
            ..env
        })
    }

    fn assemble(
        &self,
        label: Option<(String, String)>,
        root: &Path,
        section: Section,
    ) -> Result<Environment, Error> {
        let from_flags = label.is_none();
        let root = absolute(root)?;
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
            (Some(flag), _) => absolute(flag)?,
            (None, Some(key)) => absolute(&root.join(key))?,
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
        let uploads = match (&self.files, files.uploads) {
            (Some(flag), _) => Some(absolute(flag)?),
            (None, Some(key)) => Some(absolute(&root.join(key))?),
            (None, None) => None,
        };
        let (app, name) = label.unzip();
        Ok(Environment {
            app,
            name,
            state,
            neighbours: Vec::new(),
            database: self.database(database, &variables)?,
            files: Files {
                uploads,
                root: root.clone(),
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
            slots: slots.map(|slots| slots.resolve(&root)).transpose()?,
            origin: None,
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
        if let Some(server) = self.server() {
            // What th.toml names is of the server that th.toml names.
            return Ok(Some(Database {
                server,
                name: self.database.clone(),
                user: self.user.clone(),
            }));
        }
        let server = if let Some(url) = url {
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

    /// Returns the server that a flag names.
    fn server(&self) -> Option<Server> {
        let url = self.url.clone().map(Server::Url);
        url.or_else(|| self.container.clone().map(Server::Container))
    }
}

/// Returns `path` as it is found from any directory; links in it stay.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    path::absolute(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
