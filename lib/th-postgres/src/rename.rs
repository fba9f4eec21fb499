//! Renaming databases: all or none, and known for sure which.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::quote::{identifier, literal};
use crate::{Admin, Error, Server};

/// How long a server that went away in the middle is asked for the outcome.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks at a session or a server.
const PAUSE: Duration = Duration::from_millis(20);

/// What tells a session from any other that ever was.
#[derive(Debug, Deserialize)]
struct Backend {
    pid: i32,
    since: String,
}

impl Admin {
    /// Renames databases, all or none, closing their sessions; returns how many it closed.
    ///
    /// A rename holds a lock that new sessions wait for, so nobody slips in once it has begun; and
    /// as one transaction it leaves nothing half done, whenever this process dies. It waits five
    /// seconds for sessions to end, so a second session ends them meanwhile.
    ///
    /// A connection that breaks at the commit says nothing about the commit: the server is asked.
    ///
    /// # Errors
    /// [`Error::InDoubt`] when the server cannot be asked. With any other nothing was renamed.
    pub fn rename(&mut self, renames: &[(&str, &str)]) -> Result<u64, Error> {
        let names: Vec<&str> = renames.iter().map(|(from, _)| *from).collect();
        let ends: Vec<&str> = renames.iter().flat_map(|(from, to)| [*from, *to]).collect();
        if ends.contains(&"postgres") {
            *self = self.server.admin_beside(&ends)?;
        }
        let backend: Backend = self.session.one(
            "SELECT pid, backend_start::text AS since FROM pg_stat_activity \
             WHERE pid = pg_backend_pid()",
        )?;
        let mut second = self.server.admin_beside(&ends)?;
        let finished = AtomicBool::new(false);
        let (renamed, closed) = thread::scope(|scope| {
            let closer = scope.spawn(|| {
                let mut closed = 0;
                while !finished.load(Ordering::Acquire) {
                    match second.close_sessions(&names) {
                        Ok(count) => closed += count,
                        Err(_) => break,
                    }
                    thread::sleep(PAUSE);
                }
                closed
            });
            let renamed = self.rename_in_transaction(renames);
            finished.store(true, Ordering::Release);
            (renamed, closer.join().unwrap_or_default())
        });
        match renamed {
            Ok(()) => Ok(closed),
            Err(error @ Error::Sql { .. }) => Err(error),
            Err(error) => match outcome(&self.server, &ends, &backend, renames) {
                Ok(true) => Ok(closed),
                Ok(false) => Err(error),
                Err(_) => Err(Error::InDoubt(Box::new(error))),
            },
        }
    }

    fn rename_in_transaction(&mut self, renames: &[(&str, &str)]) -> Result<(), Error> {
        self.session.execute("BEGIN;")?;
        for (from, to) in renames {
            let sql = format!(
                "ALTER DATABASE {} RENAME TO {};",
                identifier(from),
                identifier(to)
            );
            if let Err(error) = self.session.execute(&sql) {
                // Without a connection there is nothing to roll back, and the first error says more.
                let _ = self.session.execute("ROLLBACK;");
                return Err(error);
            }
        }
        self.session.execute("COMMIT;")
    }
}

/// Tells whether `renames` were done by `backend`, whose connection broke.
fn outcome(
    server: &Server,
    ends: &[&str],
    backend: &Backend,
    renames: &[(&str, &str)],
) -> Result<bool, Error> {
    let old = format!(
        "pid = {} AND backend_start::text = {}",
        backend.pid,
        literal(&backend.since)
    );
    let start = Instant::now();
    loop {
        match server.admin_beside(ends) {
            Ok(mut admin) => {
                // It may be committing still; only a session that has ended has decided.
                admin.end_all(&old)?;
                return match renames.last() {
                    Some((from, _)) => Ok(!admin.has(from)?),
                    None => Ok(true),
                };
            }
            Err(error) if start.elapsed() > PATIENCE => return Err(error),
            // It may be recovering from a crash.
            Err(_) => thread::sleep(10 * PAUSE),
        }
    }
}
