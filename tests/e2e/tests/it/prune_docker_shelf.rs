//! Images of an app that only one test has.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use th_kit::{Ended, Engine, Tool, docker, docker_on};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// An app, its images and containers, and th.toml with its environments. Dropped, all of it is
/// removed.
pub(crate) struct Shelf {
    pub(crate) app: String,
    pub(crate) dir: TempDir,
    /// The engine's address, if not the host's.
    host: Option<String>,
}

impl Shelf {
    /// Makes an app with environments but without images.
    pub(crate) fn new(environments: &[&str]) -> Result<Self> {
        Self::at(environments, None)
    }

    /// The same, on an engine of the test's own.
    pub(crate) fn on(engine: &Engine, environments: &[&str]) -> Result<Self> {
        Self::at(environments, Some(engine.host()))
    }

    fn at(environments: &[&str], host: Option<String>) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let shelf = Self {
            app: format!("th-e2e-{}-{number}", std::process::id()),
            dir: tempfile::Builder::new().prefix("th-shelf-").tempdir()?,
            host,
        };
        let mut text = format!("app = \"{}\"\n", shelf.app);
        for name in environments {
            text.push_str(&format!(
                "[env.{name}]\nroot = \"{name}\"\n[env.{name}.backup]\nstore = \"backups\"\n"
            ));
            fs::create_dir_all(shelf.dir.path().join(name).join("state"))?;
        }
        fs::write(shelf.dir.path().join("th.toml"), text)?;
        Ok(shelf)
    }

    /// Adds an image that was made on a day of January 2020. Returns its id.
    pub(crate) fn add(&self, service: &str, tag: &str, day: u32) -> Result<String> {
        self.load(&[&self.name(service, tag)], tag, day, &self.app)
    }

    /// The name of an image.
    pub(crate) fn name(&self, service: &str, tag: &str) -> String {
        format!("{}-{service}:{tag}", self.app)
    }

    /// Makes an image as `docker save` writes it, which can be of any age.
    pub(crate) fn load(
        &self,
        names: &[&str],
        version: &str,
        day: u32,
        app: &str,
    ) -> Result<String> {
        let dir = tempfile::tempdir_in(self.dir.path())?;
        let file = dir.path().join("content");
        fs::write(&file, vec![b'x'; 100_000])?;
        // No two layers are the same: what one image has, no other shares.
        fs::write(dir.path().join("id"), format!("{app} {names:?} {day}"))?;
        sh(dir.path(), "tar -cf layer.tar content id")?;
        let sum = sh(dir.path(), "sha256sum layer.tar")?;
        let sum = sum.split(' ').next().unwrap_or_default();
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "created": format!("2020-01-{day:02}T00:00:00Z"),
            "config": {"Labels": {"th.app": app, "org.opencontainers.image.version": version}},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{sum}")]},
            "history": [{"created": format!("2020-01-{day:02}T00:00:00Z")}],
        });
        let manifest =
            json!([{"Config": "config.json", "RepoTags": names, "Layers": ["layer.tar"]}]);
        fs::write(dir.path().join("config.json"), config.to_string())?;
        fs::write(dir.path().join("manifest.json"), manifest.to_string())?;
        let load = "tar -c manifest.json config.json layer.tar | docker load -q";
        sh_on(self.host.as_deref(), dir.path(), load)?;
        Ok(format!("sha256:{}", sha256(&config.to_string())?))
    }

    /// Makes a container of an image, which is never started.
    pub(crate) fn container(&self, image: &str) -> Result<String> {
        let label = format!("th.shelf={}", self.app);
        docker(&["create", "--label", &label, image, "/x"])
    }

    /// Gives an image another name.
    pub(crate) fn tag(&self, image: &str, name: &str) -> Result<()> {
        docker(&["tag", image, name]).map(drop)
    }

    /// Notes releases as th-swap does, the last one deployed last.
    pub(crate) fn releases(&self, environment: &str, releases: &[(&str, &str)]) -> Result<()> {
        let release = |(number, (tag, state)): (usize, &(&str, &str))| {
            json!({
                "tag": tag, "slot": "blue", "state": state, "run": "x", "heads": [],
                "deployed_at": format!("2020-02-{:02}T00:00:00Z", number + 1),
                "images": [{"name": self.name("api", tag), "id": "sha256:0", "digest": null}],
                "pre_release_set": null,
            })
        };
        let releases: Vec<Value> = releases.iter().enumerate().map(release).collect();
        self.note(environment, &Value::from(releases).to_string())
    }

    /// Writes the state file of releases.
    pub(crate) fn note(&self, environment: &str, text: &str) -> Result<()> {
        let state = self.dir.path().join(environment).join("state");
        Ok(fs::write(state.join("releases.json"), text)?)
    }

    /// Returns the names of the app's images, and the ids of those without one.
    pub(crate) fn left(&self) -> Result<Vec<String>> {
        let label = format!("label=th.app={}", self.app);
        let format = "{{if eq .Tag \"<none>\"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}";
        let list = ["images", "--filter", &label, "--format", format];
        let list = docker_on(self.host.as_deref(), &list)?;
        let prefix = format!("{}-", self.app);
        let mut names: Vec<String> = list
            .lines()
            .map(|name| name.strip_prefix(&prefix).unwrap_or(name).to_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// th-prune, told to act on an environment.
    pub(crate) fn tool(&self, environment: &str, args: &[&str]) -> Result<Tool> {
        let config = self.dir.path().join("th.toml");
        let tool = Tool::new("th-prune")?.args(["--config".as_ref(), config.as_os_str()]);
        let tool = tool.args(["-e", environment]).args(args);
        Ok(match &self.host {
            Some(host) => tool.env("DOCKER_HOST", host),
            None => tool,
        })
    }

    /// Runs th-prune on production.
    pub(crate) fn prune(&self, args: &[&str]) -> Result<Ended> {
        self.tool("production", args)?.run()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let app = &self.app;
        // The label tells what is this test's; what is built on it carries it too.
        let script = format!(
            "docker ps -aq --filter label=th.shelf={app} | xargs -r docker rm -f -v; \
             for round in 1 2; do docker images -q --filter label=th.app={app} | sort -u | \
             xargs -r docker rmi -f || :; done"
        );
        let _ = sh_on(self.host.as_deref(), self.dir.path(), &script);
    }
}

/// Returns the items that a run printed.
pub(crate) fn items(ended: &Ended) -> Result<Vec<Value>> {
    let lines = ended.stdout.lines();
    let items: serde_json::Result<Vec<Value>> = lines.map(serde_json::from_str).collect();
    Ok(items?
        .into_iter()
        .filter(|it| it["kind"] == "prune_object")
        .collect())
}

/// Returns the item of that name.
pub(crate) fn item(ended: &Ended, name: &str) -> Result<Value> {
    let found = items(ended)?.into_iter().find(|it| it["name"] == name);
    found.with_context(|| format!("no '{name}' in {}", ended.stdout))
}

/// Runs a shell script in a directory and returns what it said.
pub(crate) fn sh(dir: &Path, script: &str) -> Result<String> {
    sh_on(None, dir, script)
}

/// The same, with the docker in it on another engine.
pub(crate) fn sh_on(host: Option<&str>, dir: &Path, script: &str) -> Result<String> {
    let mut command = Command::new("sh");
    if let Some(host) = host {
        command.env("DOCKER_HOST", host);
    }
    let output = command
        .args(["-euc", script])
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}: {stderr}");
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

fn sha256(text: &str) -> Result<String> {
    let sum = sh(Path::new("/"), &format!("printf %s '{text}' | sha256sum"))?;
    Ok(sum.split(' ').next().unwrap_or_default().to_owned())
}
