//! An app with two slots behind an nginx of its own: everything real but the app, which misbehaves
//! on demand.

mod compose;
mod look;
mod witness;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use tempfile::TempDir;

use crate::reaper::Reaper;
use crate::{Engine, Nginx, Tool};
use compose::{WEB, WORKER};
pub use witness::{docker, docker_on};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// How it is put behind nginx. `@ROOT@` and `@PORT@` are filled in.
const HTTP: &str = r#"
map $cookie_th_client $th_client { default $cookie_th_client; "" $remote_addr; }
log_format th escape=json '{"msec":$msec,"slot":"$upstream_http_x_th_slot","client":"$th_client","method":"$request_method","uri":"$uri",'
  '"status":$status,"upstream_addr":"$upstream_addr","upstream_status":"$upstream_status",'
  '"upstream_response_time":"$upstream_response_time"}';
access_log @ROOT@/nginx/access.log th;
include @ROOT@/nginx/lanes.conf;
keepalive_requests 100000;
client_max_body_size 200m;
server {
  listen 127.0.0.1:@PORT@;
  proxy_http_version 1.1;
  proxy_set_header Connection close;
  proxy_connect_timeout 2s;
  proxy_next_upstream off;
  location / { proxy_pass http://@APP@_test_api; }
  location /ws {
    proxy_pass http://@APP@_test_api;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
  }@WEB@
  location /unbuffered/ {
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_pass http://@APP@_test_api/;
  }
}
"#;

/// An app with two slots.
#[derive(Debug)]
pub struct SlotApp {
    // Ended before the directory goes.
    _reaper: Reaper,
    nginx: Nginx,
    dir: TempDir,
    name: String,
    /// The engine's `DOCKER_HOST`, if it is not the usual one.
    host: Option<String>,
}

impl SlotApp {
    /// Lays an app out and puts it behind an nginx; nothing is released yet. It has the tags `v1`,
    /// `v2` and `v3`.
    ///
    /// # Errors
    /// Those of Docker, nginx and th-swap.
    pub fn new() -> Result<Self> {
        witness::build()?;
        Self::with(None)
    }

    /// As [`SlotApp::new`], on an engine of the test's own.
    ///
    /// # Errors
    /// As [`SlotApp::new`].
    pub fn on(engine: &Engine) -> Result<Self> {
        witness::build()?;
        engine.load(witness::IMAGE)?;
        Self::with(Some(engine.host()))
    }

    fn with(host: Option<String>) -> Result<Self> {
        let name = format!(
            "tw{}n{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = tempfile::Builder::new().prefix("th-swap-").tempdir()?;
        let root = dir.path();
        fs::set_permissions(root, Permissions::from_mode(0o755))?;
        for name in ["witness", "nginx"] {
            fs::create_dir(root.join(name))?;
        }
        let clean = r#"[ -z "$2" ] || export DOCKER_HOST="$2"
            docker ps -aq --filter "label=th.app=$1" | xargs -r docker rm -f -v
            docker images -q --filter "reference=$1" --format '{{.Repository}}:{{.Tag}}' | xargs -r docker rmi"#;
        let reaper = Reaper::promise(clean, &[&name, host.as_deref().unwrap_or_default()])?;
        fs::write(root.join("compose.yml"), compose::of(&name, ""))?;
        fs::write(root.join(".env"), "GREETING=hello\n")?;
        // Until th-swap init lays it.
        fs::write(
            root.join("nginx/lanes.conf"),
            format!("upstream {name}_test_api {{ server 127.0.0.1:9; }}\n"),
        )?;
        let nginx = Nginx::start(|port| http(root, &name, port, ""))?;
        let app = Self {
            _reaper: reaper,
            nginx,
            dir,
            name,
            host,
        };
        app.write_config("")?;
        for tag in ["v1", "v2", "v3"] {
            app.tag(tag)?;
        }
        app.swap(&["init"])?.run()?.expect(0)?;
        app.nginx.reload()?;
        Ok(app)
    }

    /// As [`SlotApp::new`], with `v1` released.
    ///
    /// # Errors
    /// As [`SlotApp::new`].
    pub fn released() -> Result<Self> {
        let app = Self::new()?;
        app.swap(&["to", "--tag", "v1"])?.run()?.expect(0)?;
        Ok(app)
    }

    /// Writes th.toml again, with `more` lines under `[env.test.slots]` and after it;
    /// what they say is not said twice.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_config(&self, more: &str) -> Result<()> {
        let front = format!("{{ front = \"http://{}\" }}", self.nginx.address());
        let usual = [
            ("compose", "\"compose.yml\""),
            ("services", "[\"api\"]"),
            ("probe_post", "\"/health/echo\""),
            ("drain", "\"10s\""),
            ("hold", "\"0s\""),
            ("ready", "\"15s\""),
            ("nginx", &front),
        ];
        let mut toml = format!(
            "app = \"{}\"\n[env.test]\nroot = \".\"\nenv_file = \".env\"\n",
            self.name
        );
        toml += "[env.test.slots]\n";
        for (key, value) in usual {
            if !more
                .lines()
                .any(|line| line.starts_with(&format!("{key} ")))
            {
                toml += &format!("{key} = {value}\n");
            }
        }
        toml += &format!("{more}\n");
        Ok(fs::write(self.path("th.toml"), toml)?)
    }

    /// Gives the slots a second service with traffic, `web`, below the path `/web/`. It misbehaves as
    /// the tag `TAG-web` does. `probes` is added to the settings of nginx.
    ///
    /// # Errors
    /// Those of the file system, nginx and th-swap.
    pub fn add_web(&self, probes: &str) -> Result<()> {
        fs::write(self.path("compose.yml"), compose::of(&self.name, WEB))?;
        let front = self.nginx.address();
        self.write_config(&format!(
            "services = [\"api\", \"web\"]\nnginx = {{ front = \"http://{front}\"{probes} }}"
        ))?;
        self.swap(&["init"])?.run()?.expect(0)?;
        let location = "\n  location /web/ { proxy_pass http://@APP@_test_web/; }";
        let port = front.rsplit(':').next().unwrap_or_default().parse()?;
        self.nginx
            .configure(&http(self.dir.path(), &self.name, port, location))?;
        self.nginx.reload()
    }

    /// Gives the slots a second service, `worker`, which misbehaves as the tag `TAG-worker` does.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn add_worker(&self) -> Result<()> {
        Ok(fs::write(
            self.path("compose.yml"),
            compose::of(&self.name, WORKER),
        )?)
    }

    /// Makes the image of `tag`.
    ///
    /// # Errors
    /// Those of Docker.
    pub fn tag(&self, tag: &str) -> Result<()> {
        let name = format!("{}:{tag}", self.name);
        self.docker(&["tag", witness::IMAGE, &name]).map(drop)
    }

    /// Makes `tag` misbehave, now and whenever it is started: lines of `name=value`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sicken(&self, tag: &str, how: &str) -> Result<()> {
        let next = self.path("witness/.next");
        fs::write(&next, how)?;
        Ok(fs::rename(next, self.path("witness").join(tag))?)
    }

    /// Returns th-swap, told to act on this app.
    ///
    /// # Errors
    /// When it is not built.
    pub fn swap(&self, args: &[&str]) -> Result<Tool> {
        let tool =
            Tool::new("th-swap")?.args(["--config".as_ref(), self.path("th.toml").as_os_str()]);
        let tool = match &self.host {
            Some(host) => tool.env("DOCKER_HOST", host),
            None => tool,
        };
        Ok(tool.args(args))
    }

    /// Runs docker on the engine of this app, and returns what it printed.
    ///
    /// # Errors
    /// What docker said.
    pub fn docker(&self, args: &[&str]) -> Result<String> {
        docker_on(self.host.as_deref(), args)
    }

    /// Returns the nginx in front.
    pub fn nginx(&self) -> &Nginx {
        &self.nginx
    }

    /// Returns the app's name: that of its images, and the beginning of its compose projects.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a path below the environment's root.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn http(root: &Path, name: &str, port: u16, web: &str) -> String {
    HTTP.replace("@WEB@", web)
        .replace("@ROOT@", &root.to_string_lossy())
        .replace("@APP@", name)
        .replace("@PORT@", &port.to_string())
}
