//! A throw-away server on this host.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::reaper::Reaper;
use crate::{PASSWORD, PASSWORD_IN_URL, Server, Tmpfs, Tool};

/// A PostgreSQL server on 127.0.0.1 with data of its own and password authentication.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    data: PathBuf,
    port: u16,
    _reaper: Reaper,
}

impl Cluster {
    /// Makes and starts a cluster of the newest version installed.
    ///
    /// # Errors
    /// Those of initdb and the server, with what they said.
    pub fn start() -> Result<Self> {
        Self::make(None, None)
    }

    /// Makes one that answers in German.
    ///
    /// # Errors
    /// Those of [`Cluster::start`]; when PostgreSQL is installed without its translations.
    pub fn start_in_german() -> Result<Self> {
        let cluster = Self::make(None, Some("de_DE.UTF-8"))?;
        let answer = cluster.psql("postgres", "SELECT 1 / 0");
        let answer = answer.unwrap_or_else(|error| error.to_string());
        ensure!(
            answer.contains("Division durch Null"),
            "it answers {answer}"
        );
        Ok(cluster)
    }

    /// Makes one whose tables are on a file system of their own. Its log of transactions is not:
    /// a server that cannot write there gives up altogether.
    ///
    /// # Errors
    /// Those of [`Cluster::start`].
    pub fn start_on(tables: &Tmpfs) -> Result<Self> {
        Self::make(Some(tables.path()), None)
    }

    fn make(tables: Option<&Path>, language: Option<&str>) -> Result<Self> {
        let bin = newest_bin()?;
        let dir = tempfile::Builder::new()
            .prefix("th-cluster-")
            .tempdir()?
            .keep();
        fs::set_permissions(&dir, Permissions::from_mode(0o755))?;
        let stop = r#"cd /; $1 "$2/pg_ctl" -D "$4" -m immediate stop; rm -rf "$3" "$4""#;
        let path = dir
            .to_str()
            .context("the temporary directory is not UTF-8")?;
        let data = tables.unwrap_or(&dir).join("data");
        let prefix = as_postgres();
        let args = [
            &*prefix.join(" "),
            bin.to_str().context("not UTF-8")?,
            path,
            data.to_str().context("not UTF-8")?,
        ];
        let reaper = Reaper::promise(stop, &args)?;
        if !prefix.is_empty() {
            let uid: u32 = output(Command::new("id").args(["-u", "postgres"]))?
                .trim()
                .parse()?;
            chown(tables.unwrap_or(&dir), Some(uid), None)?;
            chown(&dir, Some(uid), None)?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let cluster = Self {
            bin,
            dir,
            data,
            port,
            _reaper: reaper,
        };
        cluster.initialise()?;
        if let Some(language) = language {
            cluster.speak(language)?;
        }
        cluster.resume()?;
        Ok(cluster)
    }

    fn initialise(&self) -> Result<()> {
        let pwfile = self.dir.join("password");
        fs::write(&pwfile, PASSWORD)?;
        fs::set_permissions(&pwfile, Permissions::from_mode(0o644))?;
        let mut initdb = self.privileged("initdb");
        initdb.args([
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]);
        initdb
            .args(["--no-sync", "--pwfile"])
            .arg(&pwfile)
            .arg("--waldir")
            .arg(self.dir.join("wal"))
            .arg("-D")
            .arg(&self.data);
        output(&mut initdb)?;
        let settings = format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\n\
             fsync = off\nmax_connections = 60\n",
            self.port,
            self.dir.display()
        );
        let conf = self.data.join("postgresql.auto.conf");
        fs::write(&conf, settings)?;
        Ok(())
    }

    /// Lets the server answer in another language. What the locale says beside its name is that of C:
    /// no other need be installed.
    fn speak(&self, language: &str) -> Result<()> {
        let locale = self.locales().join(language);
        fs::create_dir_all(self.locales())?;
        output(
            Command::new("cp")
                .args(["-rL", "/usr/lib/locale/C.utf8"])
                .arg(locale),
        )?;
        let conf = self.data.join("postgresql.auto.conf");
        let settings = fs::read_to_string(&conf)? + &format!("lc_messages = '{language}'\n");
        Ok(fs::write(conf, settings)?)
    }

    fn locales(&self) -> PathBuf {
        self.dir.join("locales")
    }

    /// Starts the server again after [`Cluster::halt`].
    ///
    /// # Errors
    /// What the server said.
    pub fn resume(&self) -> Result<()> {
        let log = self.dir.join("log");
        let mut start = self.privileged("pg_ctl");
        start
            .args(["-w", "-s", "-l"])
            .arg(&log)
            .arg("-D")
            .arg(&self.data)
            .arg("start");
        let status = start.status()?;
        ensure!(
            status.success(),
            "the cluster does not start: {}",
            fs::read_to_string(log).unwrap_or_default()
        );
        Ok(())
    }

    /// Stops the server at once, as if the machine had lost its power.
    ///
    /// # Errors
    /// What pg_ctl said.
    pub fn halt(&self) -> Result<()> {
        let mut stop = self.privileged("pg_ctl");
        output(
            stop.args(["-m", "immediate", "-D"])
                .arg(&self.data)
                .arg("stop"),
        )
        .map(drop)
    }

    /// Returns the address of `database`, with the password.
    pub fn url(&self, database: &str) -> String {
        self.url_with(PASSWORD_IN_URL, database)
    }

    /// Returns the address of `database` with another password.
    pub fn url_with(&self, password: &str, database: &str) -> String {
        format!(
            "postgres://postgres:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    fn privileged(&self, program: &str) -> Command {
        let mut words = as_postgres().into_iter();
        let mut command = match words.next() {
            Some(first) => {
                let mut command = Command::new(first);
                command.args(words).arg(self.bin.join(program));
                command
            }
            None => Command::new(self.bin.join(program)),
        };
        command.current_dir(&self.dir);
        if self.locales().exists() {
            command.env("LOCPATH", self.locales());
        }
        command
    }
}

impl Server for Cluster {
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.args([
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-p",
            &self.port.to_string(),
        ]);
        command.env("PGPASSWORD", PASSWORD).env("PGAPPNAME", "kit");
        command
    }

    fn is_by_url(&self) -> bool {
        true
    }

    fn target(&self, tool: Tool, database: &str) -> Tool {
        tool.env("TH_DATABASE_URL", &self.url(database))
    }
}

/// A server refuses to run as root.
fn as_postgres() -> Vec<&'static str> {
    match fs::metadata("/proc/self") {
        Ok(own) if own.uid() == 0 => {
            vec![
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
            ]
        }
        _ => Vec::new(),
    }
}

fn newest_bin() -> Result<PathBuf> {
    let root = Path::new("/usr/lib/postgresql");
    let versions = fs::read_dir(root).with_context(|| format!("no {}", root.display()))?;
    versions
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| root.join(format!("{version}/bin/initdb")).exists())
        .max()
        .map(|version| root.join(format!("{version}/bin")))
        .with_context(|| format!("no initdb under {}", root.display()))
}

fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {stderr}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
