//! What is soaked: the app, its tags, its users.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use th_kit::{SlotApp, Tool, Traffic};

/// An app, and how hard it is tried.
pub(crate) struct Subject {
    /// The app of its own, if it is that.
    pub(crate) app: Option<SlotApp>,
    config: PathBuf,
    environment: String,
    /// The two tags that are released in turn.
    pub(crate) tags: [String; 2],
    pub(crate) traffic: Traffic,
    /// What is uploaded to, downloaded slowly, and opened as a websocket.
    pub(crate) upload: String,
    pub(crate) download: String,
    pub(crate) websocket: String,
    /// How many releases.
    pub(crate) swaps: u32,
    /// How many ways back.
    pub(crate) rollbacks: u32,
    /// The file with the process id of the app's nginx, unless the app is our own.
    nginx_pid: Option<PathBuf>,
    /// How many reloads to compare with, and a third as many rollouts.
    pub(crate) compare: u32,
}

impl Subject {
    /// Reads `--name value` pairs.
    pub(crate) fn from_arguments() -> Result<Self> {
        let mut arguments: Vec<(String, String)> = Vec::new();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .with_context(|| format!("'{word}' is no option"))?;
            let value = words
                .next()
                .with_context(|| format!("--{name} needs a value"))?;
            arguments.push((name.to_owned(), value));
        }
        let mut take = |name: &str| -> Option<String> {
            let at = arguments.iter().position(|(known, _)| known == name)?;
            Some(arguments.remove(at).1)
        };
        let app = match take("config") {
            Some(config) => Err(PathBuf::from(config)),
            None => Ok(SlotApp::released()?),
        };
        let address = match (&app, take("front")) {
            (_, Some(front)) => front,
            (Ok(app), None) => app.nginx().address(),
            (Err(_), None) => bail!("--config needs --front host:port"),
        };
        let mut traffic = Traffic::of_witness(address);
        if let Some(get) = take("get") {
            traffic.get = get.split(',').map(str::to_owned).collect();
        }
        traffic.post = take("post").unwrap_or(traffic.post);
        traffic.slow = take("slow").unwrap_or(traffic.slow);
        if let Some(header) = take("header") {
            traffic.headers = format!("{header}\r\n");
        }
        let number = |text: Option<String>, usual| text.map_or(Ok(usual), |text| text.parse());
        traffic.users = number(take("users"), 24)? as usize;
        traffic.think = Duration::from_millis(number(take("think-ms"), 15)?.into());
        let tags = take("tags").unwrap_or_else(|| "v2,v1".to_owned());
        let (one, two) = tags
            .split_once(',')
            .context("--tags needs two tags, one,two")?;
        let subject = Self {
            config: match &app {
                Ok(app) => app.path("th.toml"),
                Err(config) => config.clone(),
            },
            app: app.ok(),
            environment: take("env").unwrap_or_else(|| "test".to_owned()),
            tags: [one.to_owned(), two.to_owned()],
            upload: take("upload").unwrap_or_else(|| "/unbuffered/upload".to_owned()),
            download: take("download")
                .unwrap_or_else(|| "/unbuffered/download?seconds=4".to_owned()),
            websocket: take("websocket").unwrap_or_else(|| "/ws".to_owned()),
            swaps: number(take("swaps"), 200)?,
            rollbacks: number(take("rollbacks"), 20)?,
            compare: number(take("compare"), 30)?,
            nginx_pid: take("nginx-pid").map(PathBuf::from),
            traffic,
        };
        match arguments.first() {
            None => Ok(subject),
            Some((name, _)) => bail!("unknown option --{name}"),
        }
    }

    /// Returns th-swap, told to act on the app.
    pub(crate) fn swap(&self, args: &[&str]) -> Result<Tool> {
        let config = ["--config".as_ref(), self.config.as_os_str()];
        let tool = Tool::new("th-swap")?
            .args(config)
            .args(["--env", &self.environment]);
        Ok(tool.args(args))
    }

    /// Has the app's nginx read its configuration again, as `nginx -s reload` does.
    pub(crate) fn reload(&self) -> Result<()> {
        if let Some(app) = &self.app {
            return app.nginx().reload();
        }
        let file = self.nginx_pid.as_ref();
        let pid = fs::read_to_string(file.context("--config needs --nginx-pid to compare")?)?;
        let done = Command::new("kill")
            .args(["-s", "HUP", pid.trim()])
            .status()?;
        ensure!(done.success(), "nginx cannot be told to reload");
        Ok(())
    }

    /// Returns the tag of release number `number`.
    pub(crate) fn tag(&self, number: u32) -> &str {
        &self.tags[number as usize % 2]
    }
}
