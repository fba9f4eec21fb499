//! Looking for a secret where it must not be.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

/// For how many looks a process is new: it may yet become another program. An old one seldom does,
/// and is looked at once in as many.
const YOUNG: u32 = 25;

/// Reads the arguments of all processes of this machine, again and again.
#[derive(Debug)]
pub struct ArgvWatch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(u64, Vec<String>)>,
}

impl ArgvWatch {
    /// Starts to look for any of `secrets`, and for `program`, to show that it looks at all.
    pub fn start(program: &'static str, secrets: &[&str]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, secrets) = (Arc::clone(&stop), secrets.iter().map(|s| (*s).to_owned()));
        let secrets: Vec<String> = secrets.collect();
        let thread = thread::spawn(move || {
            let (mut seen, mut found) = (0, Vec::new());
            let mut ages: HashMap<OsString, u32> = HashMap::new();
            while !stopped.load(Ordering::Relaxed) {
                let mut alive = HashMap::new();
                for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    let pid = entry.file_name();
                    if !pid.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
                        continue;
                    }
                    let age = ages.get(&pid).map_or(0, |age| age + 1);
                    let argv = if age < YOUNG || age.is_multiple_of(YOUNG) {
                        fs::read(entry.path().join("cmdline")).unwrap_or_default()
                    } else {
                        Vec::new()
                    };
                    alive.insert(pid, age);
                    let argv = String::from_utf8_lossy(&argv).replace('\0', " ");
                    seen += u64::from(argv.contains(program));
                    if secrets.iter().any(|secret| argv.contains(secret)) {
                        found.push(argv);
                    }
                }
                ages = alive;
                thread::sleep(Duration::from_millis(4));
            }
            (seen, found)
        });
        Self { stop, thread }
    }

    /// Returns how often the program was seen, and every command line with a secret.
    ///
    /// # Errors
    /// When the watcher died.
    pub fn finish(self) -> Result<(u64, Vec<String>)> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the watcher died"))
    }
}

/// Returns the files under `dir` whose bytes hold any of `secrets`.
///
/// # Errors
/// Those of the file system.
pub fn files_with(dir: &Path, secrets: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files_with(&entry.path(), secrets)?);
        } else {
            let bytes = fs::read(entry.path())?;
            let holds = |s: &&str| bytes.windows(s.len()).any(|window| window == s.as_bytes());
            if secrets.iter().any(holds) {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}
