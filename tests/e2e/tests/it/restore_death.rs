//! A restore or its undoing that is killed at any moment leaves the old or the new, never a mixture.

use std::fs;
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use th_kit::{Cluster, Moments, Pace, Server, Tree};

use crate::backup_failures::wait_for;
use crate::setup::{App, bulk, cluster, postgres15, while_locked};

/// A set, and a live state other than it. The old is what is live before a restore, the new after.
pub(crate) struct Subject<'a> {
    pub(crate) app: App<'a>,
    old: (String, Tree),
    new: (String, Tree),
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Old,
    New,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(server: &'a dyn Server) -> Result<Self> {
        let app = App::new(server, "subject", &bulk(3_000))?;
        let new = app.state()?;
        app.backup()?;
        server.psql(&app.database, "UPDATE marker SET word = 'live'")?;
        for number in 0..60 {
            let path = |name: String| app.files.path().join("2026").join(name);
            fs::write(path(format!("{number}.txt")), "live")?;
            fs::write(path(format!("live-{number}.txt")), "live")?;
            fs::remove_file(path(format!("{}.txt", number + 100)))?;
        }
        let old = app.state()?;
        Ok(Self { app, old, new })
    }

    /// Tells which database is live. It is whole at every moment.
    pub(crate) fn database(&self) -> Result<Which> {
        match th_kit::database_state(self.app.server, &self.app.database)? {
            state if state == self.old.0 => Ok(Which::Old),
            state if state == self.new.0 => Ok(Which::New),
            state => bail!("neither the old nor the new database:\n{state}"),
        }
    }

    /// Checks that the database and the files are those of `which`, and that there is no database
    /// beside it but what `which` has kept.
    pub(crate) fn check(&self, which: Which) -> Result<()> {
        let found = self.database()?;
        ensure!(found == which, "{found:?}, not {which:?}");
        let wanted = match which {
            Which::Old => &self.old,
            Which::New => &self.new,
        };
        ensure!(
            self.app.tree()? == wanted.1,
            "the {which:?} database, but not its files"
        );
        let beside = self.app.beside()?;
        let strays = beside.iter().filter(|name| {
            !(which == Which::New && name.contains("_before_") || name.contains("_undone_"))
        });
        ensure!(strays.count() == 0, "{which:?}, and left: {beside:?}");
        let strays = self.app.store.strays()?;
        ensure!(strays.is_empty(), "left in the store: {strays:?}");
        Ok(())
    }

    /// Runs th-restore with `command` and kills it when `share` of it is over; tells whether it was
    /// still at work.
    fn kill(&self, command: &str, pace: &mut Pace, share: f64) -> Result<bool> {
        let mut running = self.app.tool("th-restore")?.args([command]).start()?;
        pace.wait(&mut running, share);
        Ok(running.kill())
    }

    /// Lets another run finish or take back what a dead one has begun, and checks that this changes
    /// nothing but that.
    fn recover(&self) -> Result<Which> {
        let which = self.database()?;
        match which {
            Which::Old => self.clear()?,
            // What is kept is still needed, to undo it.
            Which::New => drop(self.app.restore(&["gc"])?.expect(0)?),
        }
        self.check(which)?;
        Ok(which)
    }

    /// Drops all that is kept; then nothing at all is left.
    pub(crate) fn clear(&self) -> Result<()> {
        self.app.restore(&["gc", "--older-than", "0s"])?.expect(0)?;
        let beside = self.app.beside()?;
        ensure!(beside.is_empty(), "left: {beside:?}");
        ensure!(
            !self.app.files.path().join(".th-restore").exists(),
            "files are left"
        );
        wait_for(|| Ok(self.app.server.tool_sessions(&self.app.database)? == 0))
    }

    /// Takes a restore back, and kills that first when `share` of it is over.
    fn undo_killed(&self, pace: &mut Pace, share: f64) -> Result<bool> {
        let killed = self.kill("undo", pace, share)?;
        if self.recover()? == Which::New {
            self.app.restore(&["undo"])?.expect(0)?;
        }
        self.check(Which::Old)?;
        Ok(killed)
    }

    /// How long a restore and its undoing take.
    fn measure(&self) -> Result<(Pace, Pace)> {
        let start = Instant::now();
        self.app.restore(&["apply"])?.expect(0)?;
        let apply = start.elapsed();
        self.check(Which::New)?;
        let start = Instant::now();
        self.app.restore(&["undo"])?.expect(0)?;
        let undo = start.elapsed();
        self.check(Which::Old)?;
        Ok((Pace::of(apply), Pace::of(undo)))
    }
}

fn survives_kills(server: &dyn Server, count: u32) -> Result<()> {
    let subject = Subject::new(server)?;
    let (mut apply, mut undo) = subject.measure()?;
    let (mut killed, mut switched) = (0, 0);
    Moments::new().each(count, |_, moments| {
        // The later part of a run, where the switch is, gets more of the moments.
        let share = 1.1 * moments.share().sqrt();
        killed += u32::from(subject.kill("apply", &mut apply, share)?);
        if subject.recover()? == Which::New {
            switched += 1;
            subject.undo_killed(&mut undo, moments.share())?;
            subject.clear()?;
        }
        Ok(())
    })?;
    ensure!(
        killed >= count / 3,
        "only {killed} of {count} runs were killed"
    );
    ensure!(switched < count, "no run was killed before the switch");
    subject.app.restore(&["apply"])?.expect(0)?;
    subject.check(Which::New)
}

#[test]
fn kill_9_by_url() -> Result<()> {
    // Of its own: databases that other tests drop meanwhile make the listing of databases fail.
    let server = Cluster::start()?;
    survives_kills(&server, 50)?;
    wait_for(|| Ok(server.all_tool_sessions()?.is_empty()))
}

#[test]
fn kill_9_in_a_container() -> Result<()> {
    survives_kills(postgres15()?, 6)
}

fn undo_survives_kills(server: &dyn Server, count: u32) -> Result<()> {
    let subject = Subject::new(server)?;
    let (_, mut undo) = subject.measure()?;
    let mut killed = 0;
    Moments::new().each(count, |_, moments| {
        subject.app.restore(&["apply"])?.expect(0)?;
        killed += u32::from(subject.undo_killed(&mut undo, moments.share())?);
        Ok(())
    })?;
    ensure!(
        killed >= count / 3,
        "only {killed} of {count} runs were killed"
    );
    subject.clear()
}

#[test]
fn an_undo_that_is_killed_by_url() -> Result<()> {
    undo_survives_kills(&Cluster::start()?, 10)
}

#[test]
fn an_undo_that_is_killed_in_a_container() -> Result<()> {
    undo_survives_kills(postgres15()?, 3)
}

/// The server goes on with what a dead client has asked for: here, it makes the database only after
/// the next run has looked for it.
#[test]
fn a_database_that_comes_to_be_after_its_maker_has_died() -> Result<()> {
    let server = Cluster::start()?;
    let subject = Subject::new(&server)?;
    let app = &subject.app;
    let waiting = |statement: &str| -> Result<bool> {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        let count = format!("{query} AND query LIKE '{statement} DATABASE%'");
        Ok(server.psql("postgres", &count)? == "1")
    };
    let lock = "LOCK TABLE pg_database IN SHARE MODE";
    let next = while_locked(&server, "template1", lock, || {
        let running = app.tool("th-restore")?.args(["apply"]).start()?;
        wait_for(|| waiting("CREATE"))?;
        ensure!(running.kill());
        let mut next = app.tool("th-restore")?.args(["gc"]).start()?;
        wait_for(|| Ok(next.is_over() || waiting("DROP")?))?;
        Ok(next)
    })?;
    next.wait()?.expect(0)?;
    wait_for(|| Ok(server.all_tool_sessions()?.is_empty()))?;
    subject.check(Which::Old)
}

#[test]
fn a_verification_that_is_killed_leaves_nothing() -> Result<()> {
    let app = App::new(cluster()?, "verify", &bulk(3_000))?;
    app.backup()?;
    let start = Instant::now();
    app.restore(&["verify"])?.expect(0)?;
    let whole = start.elapsed();
    Moments::new().each(6, |_, moments| {
        let running = app.tool("th-restore")?.args(["verify"]).start()?;
        thread::sleep(whole.mul_f64(moments.share()));
        running.kill();
        Ok(())
    })?;
    app.restore(&["verify"])?.expect(0)?;
    assert_eq!(app.beside()?, Vec::<String>::new());
    assert_eq!(app.store.strays()?, Vec::<String>::new());
    Ok(())
}
