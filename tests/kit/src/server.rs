//! What all test servers have in common.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use crate::Tool;

/// The superuser's password of every test server. No tool may ever show it.
pub const PASSWORD: &str = "pa55/Word@th";

/// The same, as it stands in an address.
pub const PASSWORD_IN_URL: &str = "pa55%2FWord%40th";

const EVERYTHING: &str = include_str!("../sql/everything.sql");

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A PostgreSQL server that a test may use.
pub trait Server: Sync {
    /// Returns a command that runs a client program of the server's version as its superuser.
    fn client(&self, program: &str) -> Command;

    /// Tells `tool` to act on `database` of this server.
    fn target(&self, tool: Tool, database: &str) -> Tool;

    /// Tells whether the tools reach it by an address.
    fn is_by_url(&self) -> bool;

    /// Runs a script and returns what it printed: unaligned, without headers.
    fn psql(&self, database: &str, sql: &str) -> Result<String> {
        let mut command = self.client("psql");
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
        ]);
        let output = feed(command, sql)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "psql on {database}: {stderr}");
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Makes an empty database with a name of its own.
    fn database(&self, prefix: &str) -> Result<String> {
        let name = format!("{prefix}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.psql(
            "postgres",
            &format!("CREATE DATABASE \"{name}\" TEMPLATE template0"),
        )?;
        Ok(name)
    }

    /// Makes a database and runs `sql` in it.
    fn database_with(&self, prefix: &str, sql: &str) -> Result<String> {
        let name = self.database(prefix)?;
        self.psql(&name, sql)?;
        Ok(name)
    }

    /// Returns the names of all databases.
    fn databases(&self) -> Result<Vec<String>> {
        let names = self.psql("postgres", "SELECT datname FROM pg_database ORDER BY 1")?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Returns how many sessions the tools and their children have on `database`, and on what they
    /// made beside it.
    fn tool_sessions(&self, database: &str) -> Result<u64> {
        let count = self.psql(
            "postgres",
            &format!(
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE (datname = '{database}' OR starts_with(datname, '{database}_')) \
                 AND (application_name LIKE 'th-%' OR application_name LIKE 'pg_%')"
            ),
        )?;
        Ok(count.parse()?)
    }

    /// Returns the sessions of the tools and their children on any database. For servers that no
    /// other test uses.
    fn all_tool_sessions(&self) -> Result<String> {
        self.psql(
            "postgres",
            "SELECT datname, application_name, state, query FROM pg_stat_activity \
             WHERE application_name LIKE 'th-%' OR application_name LIKE 'pg_%'",
        )
    }
}

fn feed(mut command: Command, sql: &str) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start psql")?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    let sql = sql.to_owned();
    // A failing psql stops reading.
    let writer = std::thread::spawn(move || drop(stdin.write_all(sql.as_bytes())));
    let output = child.wait_with_output()?;
    let _ = writer.join();
    Ok(output)
}

/// Returns a script that makes one of everything a database can hold that a backup could get wrong.
/// Its roles and who is in which are the server's, so they are made unless they are there.
pub fn everything() -> String {
    let mut script = String::new();
    for line in EVERYTHING.lines() {
        if ["CREATE ROLE", "GRANT zoo_keepers"]
            .iter()
            .any(|start| line.starts_with(start))
        {
            script.push_str("DO $$ BEGIN ");
            script.push_str(line);
            script.push_str(
                " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;",
            );
        } else {
            script.push_str(line);
        }
        script.push('\n');
    }
    script
}
