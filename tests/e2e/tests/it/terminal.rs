//! What a person sees on a terminal, and what happens when nobody can.

use std::fs::{self, File};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use th_kit::{Server, Tool};

use crate::backup_space::noise;
use crate::prune_sets_store::{BARE, Nights};
use crate::setup::{App, bulk, cluster, postgres15};

/// Whether a bar with a rate was drawn.
fn has_bars(text: &str) -> bool {
    text.contains('\r') && text.contains("B/s")
}

/// The lines that stay on the terminal once the bars are gone.
fn plain(text: &str) -> String {
    text.replace('\r', "")
}

/// A backup slow enough that bars are drawn.
fn slow(app: &App<'_>) -> Result<Tool> {
    noise(&app.files.path().join("noise"), 2)?;
    Ok(app.tool("th-backup")?.args(["--bandwidth", "2M"]))
}

#[test]
fn a_terminal_shows_bars_and_a_summary_in_place_of_the_record() -> Result<()> {
    let app = App::new(cluster()?, "tty", &bulk(10))?;
    let shown = slow(&app)?.run_on_terminal("")?;
    let text = &shown.text;
    assert_eq!(shown.code, 0, "{text}");
    assert!(has_bars(text), "{text}");
    for phase in ["dump", "files"] {
        let is_of = |bar: &&str| bar.contains(&format!("{phase}  ")) && bar.contains("B/s");
        let bar = text.split('\r').find(is_of).with_context(|| text.clone())?;
        assert!(bar.contains("eta "), "{bar}");
    }
    // The file that is being read.
    assert!(text.contains("noise"), "{text}");
    assert!(!text.contains("\"kind\""), "{text}");
    let set = app.store.sets()?.pop().context("no set")?;
    assert!(text.contains(&format!("set {set} is complete")), "{text}");

    let list = app.tool("th-restore")?.args(["list"]).run_on_terminal("")?;
    let list = plain(&list.text);
    assert!(list.contains(&set) && list.contains("1 sets"), "{list}");
    assert!(!list.contains('{'), "{list}");
    Ok(())
}

#[test]
fn what_is_asked_for_is_shown_on_a_terminal_too() -> Result<()> {
    let app = App::new(cluster()?, "asked", &bulk(10))?;
    let quiet = slow(&app)?.args(["--quiet"]).run_on_terminal("")?;
    assert_eq!(quiet.code, 0, "{}", quiet.text);
    assert!(!has_bars(&quiet.text), "{}", quiet.text);
    assert!(plain(&quiet.text).starts_with("set "), "{}", quiet.text);

    let json = app.tool("th-backup")?.args(["--json", "--quiet"]);
    let json = plain(&json.run_on_terminal("")?.text);
    let record: Value = serde_json::from_str(&json).with_context(|| json.clone())?;
    assert_eq!(
        (&record["kind"], &record["ok"]),
        (&"backup".into(), &true.into())
    );

    // Only the form depends on the terminal: a failure is the same.
    let tool = app.tool("th-restore")?.args(["show", "20010101"]);
    let failed = tool.run_on_terminal("")?;
    assert_eq!(failed.code, 10, "{}", failed.text);
    assert!(failed.text.contains("20010101") && !failed.text.contains('{'));
    Ok(())
}

#[test]
fn a_file_gets_the_record_while_the_terminal_gets_the_bars() -> Result<()> {
    let app = App::new(cluster()?, "split", &bulk(10))?;
    let dir = tempfile::tempdir()?;
    let (out, err) = (dir.path().join("out"), dir.path().join("err"));
    let shown = slow(&app)?.run_on_terminal(&format!(">{}", out.display()))?;
    assert!(has_bars(&shown.text), "{}", shown.text);
    let record: Value = serde_json::from_slice(&fs::read(&out)?)?;
    assert_eq!(
        record["data"]["set"],
        **app.store.sets()?.last().context("no set")?
    );

    // The other way round: plain lines in the file, the summary on the terminal.
    let shown = slow(&app)?.run_on_terminal(&format!("2>{}", err.display()))?;
    assert!(plain(&shown.text).starts_with("set "), "{}", shown.text);
    let lines = fs::read_to_string(&err)?;
    assert!(lines.contains("dump") && !lines.contains('\r'), "{lines}");
    Ok(())
}

#[test]
fn a_name_cannot_speak_to_the_terminal() -> Result<()> {
    let app = App::new(cluster()?, "escape", &bulk(10))?;
    // What sets the title of a window.
    let evil = "\u{1b}]0;evil\u{7}";
    fs::write(app.files.path().join(format!("{evil}file")), "")?;
    let fifo = app.files.path().join(format!("{evil}fifo"));
    let made = std::process::Command::new("mkfifo").arg(fifo).status()?;
    ensure!(made.success());
    let tool = app.tool("th-backup")?.args(["--bandwidth", "1M"]);
    let shown = tool.run_on_terminal("")?;
    assert_eq!(shown.code, 0, "{}", shown.text);
    assert!(shown.text.contains("evil"), "{}", shown.text);
    let lines = shown.text.rsplit('\r').take(8).collect::<Vec<_>>();
    assert!(!shown.text.contains("\u{1b}]0;"), "{lines:?}");
    Ok(())
}

#[test]
fn nobody_listens_and_all_is_done_the_same() -> Result<()> {
    let app = App::new(cluster()?, "unheard", &bulk(10))?;
    for redirect in ["| head -0", ">&-", ">&- 2>&-", ">/dev/full"] {
        let before = app.store.sets()?.len();
        let shown = app.tool("th-backup")?.run_on_terminal(redirect)?;
        assert!(
            !shown.text.contains("panicked"),
            "{redirect}: {}",
            shown.text
        );
        // All is done, but a record that cannot be written is not as if nobody wanted it.
        let code = if redirect.contains("full") { 3 } else { 0 };
        assert_eq!(shown.code, code, "{redirect}: {}", shown.text);
        assert_eq!(app.store.sets()?.len(), before + 1, "{redirect}");
        assert_eq!(app.store.strays()?, Vec::<String>::new());
    }
    app.server
        .psql(&app.database, "UPDATE marker SET word = 'live'")?;
    for (command, word) in [("apply", "original"), ("undo", "live"), ("list", "live")] {
        let tool = app.tool("th-restore")?.args([command]);
        let (code, stderr) = tool.run_unheard()?;
        assert_eq!(code, 0, "{command}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert_eq!(
            app.server.psql(&app.database, "SELECT word FROM marker")?,
            word
        );
    }
    // Each is in the journal all the same.
    let journal = app.store.journal()?;
    for kind in ["backup", "restored", "undone"] {
        assert!(
            journal.contains(&format!("\"kind\":\"{kind}\"")),
            "{journal}"
        );
    }
    Ok(())
}

#[test]
fn records_come_from_a_pipe_and_not_from_a_person() -> Result<()> {
    let app = App::new(cluster()?, "typed", &bulk(10))?;
    let tool = app.tool("th-backup")?.args(["-"]);
    let shown = tool.run_on_terminal("")?;
    assert_eq!(shown.code, 2, "{}", shown.text);
    assert!(shown.text.contains("terminal"), "{}", shown.text);
    assert!(!app.store.path().exists());
    Ok(())
}

/// A plan and a verification say what they found, and a difference is shown with both sides.
#[test]
fn a_difference_is_shown_with_what_was_expected() -> Result<()> {
    let app = App::new(cluster()?, "shown", &bulk(10))?;
    let set = app.backup()?;
    let plan = app
        .tool("th-restore")?
        .args(["apply", "--plan"])
        .run_on_terminal("")?;
    for word in ["would:", "create_database", "move_files", "space:"] {
        assert!(plan.text.contains(word), "no {word} in {}", plan.text);
    }
    let dump = app.store.set(&set).join("db.dump.zst");
    File::options().append(true).open(&dump)?.set_len(10)?;
    let verify = app
        .tool("th-restore")?
        .args(["verify"])
        .run_on_terminal("")?;
    assert_eq!(verify.code, 14, "{}", verify.text);
    for word in ["db.dump.zst", "expected", "found"] {
        assert!(verify.text.contains(word), "no {word} in {}", verify.text);
    }
    Ok(())
}

#[test]
fn a_prune_shows_a_table() -> Result<()> {
    let nights = Nights::new(3)?;
    let tool = nights.tool(&["--keep-last", "2", "--plan"])?.args(BARE);
    let shown = tool.run_on_terminal("")?;
    assert_eq!(shown.code, 0, "{}", shown.text);
    let text = plain(&shown.text);
    let row = |action: &str, set: &str| {
        let row = format!("{action:6} {set:22} complete  decode ");
        text.lines().any(|line| line.starts_with(&row))
    };
    for (action, set) in ["keep", "keep", "delete"].into_iter().zip(&nights.sets) {
        assert!(row(action, set), "no {action} of {set} in {text}");
    }
    assert!(
        text.contains("keep_last") && text.contains("2 sets kept, 1 deleted"),
        "{text}"
    );
    assert!(!text.contains('{'), "{text}");
    Ok(())
}

/// Once the server has the whole dump, the bar goes on with what it makes of it.
#[test]
fn a_restore_is_seen_to_go_on_after_the_dump_is_read() -> Result<()> {
    let servers: [&dyn Server; 2] = [cluster()?, postgres15()?];
    let sql = bulk(1_000)
        + "CREATE FUNCTION slow(text) RETURNS text IMMUTABLE LANGUAGE plpgsql
               AS 'BEGIN PERFORM pg_sleep(2); RETURN $1; END';
           CREATE INDEX ON marker (slow(word));";
    for server in servers {
        let app = App::new(server, "grows", &sql)?;
        app.backup()?;
        let tool = app.tool("th-restore")?.args(["apply", "--only", "db"]);
        let shown = tool.run_on_terminal("")?;
        assert_eq!(shown.code, 0, "{}", shown.text);
        // An empty one has 7 MiB, ten times the dump.
        let bars = shown.text.split("restore ");
        let mut beginnings = bars.map(|bar| bar.chars().take(24).collect::<String>());
        assert!(
            beginnings.any(|bar| bar.contains(" 7.") && bar.contains(" MiB")),
            "{}",
            shown.text
        );
    }
    Ok(())
}
