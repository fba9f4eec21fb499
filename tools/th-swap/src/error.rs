//! Why a swap failed.

mod hint;

use std::io;
use std::path::{Path, PathBuf};

use th_record::kind::Slot;
use th_record::{ErrorKind, Fail, Id};

/// An error of this tool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] th_config::Error),
    /// The records of the tools before this one.
    #[error(transparent)]
    Upstream(#[from] th_record::Refusal),
    /// The lock or the state.
    #[error(transparent)]
    State(#[from] th_state::Error),
    /// Docker.
    #[error(transparent)]
    Docker(#[from] th_docker::Error),
    /// The database.
    #[error(transparent)]
    Postgres(#[from] th_postgres::Error),
    /// The database takes its time, or is not there.
    #[error("the database does not answer within {0} s")]
    NoAnswer(u64),
    /// The file system.
    #[error("cannot use '{}'", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The flags or the settings do not fit together.
    #[error("{0}")]
    Usage(&'static str),
    /// A setting's value makes no sense.
    #[error("{0}")]
    Setting(String),
    /// A lane does not lead where it was led.
    #[error("lane '{}' does not lead where it was led", .0.display())]
    Lane(PathBuf),
    /// No nginx runs, or none that may be told anything.
    #[error("nginx does not run, or may not be told to reload: {0}")]
    NginxDown(String),
    /// The configuration was no good before anything was changed.
    #[error("nginx refuses its configuration as it is: {0}")]
    NginxRefuses(String),
    /// The new include file did not take effect.
    #[error("nginx did not switch, and the include file is the old one again: {0}")]
    NotSwitched(String),
    /// The new include file did not take effect, and the old one could not be put back.
    #[error("nginx did not switch, and the old include file could not be put back: {0}")]
    HalfSwitched(String),
    /// The include file is the right one again, and nginx does not use it.
    #[error("nginx did not switch back, though the include file is the right one again: {0}")]
    NotBack(String),
    /// A program is not there, or cannot be run.
    #[error("cannot run '{program}'")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Neither version of compose is installed.
    #[error("neither 'docker compose' nor 'docker-compose' can be run")]
    NoCompose,
    /// compose refuses the file.
    #[error("'{}' is refused by compose: {message}", path.display())]
    ComposeFile {
        /// The file.
        path: PathBuf,
        /// What compose said.
        message: String,
    },
    /// compose failed.
    #[error("{command} failed: {message}")]
    Compose {
        /// The command.
        command: String,
        /// What compose said.
        message: String,
    },
    /// `th-swap init` has not been run.
    #[error("there are no lanes in '{}'", .0.display())]
    NotLaid(PathBuf),
    /// An image is not there.
    #[error("{0}")]
    NoImage(String),
    /// An image is not there, on the way back to a release.
    #[error("{0}")]
    NoOldImage(String),
    /// The web server does not answer.
    #[error("{0}")]
    FrontDown(String),
    /// nginx does not serve what it should.
    #[error("{0}")]
    Front(String),
    /// Another gate refused.
    #[error("{name}: {found}")]
    Gate {
        /// Which.
        name: String,
        /// What was found.
        found: String,
    },
    /// There is no such release.
    #[error("'{0}' was never released here")]
    NoRelease(String),
    /// There is no release to go back to.
    #[error("there is no release to go back to")]
    NothingBefore,
    /// The database has moved past what the release was seen to work with.
    #[error(
        "the database is at {head}, and '{tag}' was seen to work with {} only",
        heads.join(", ")
    )]
    Schema {
        /// The release.
        tag: String,
        /// The head that the database is at.
        head: String,
        /// The heads that the release was seen with.
        heads: Vec<String>,
        /// The environment.
        environment: String,
        /// The backup made right before the release after it.
        set: Option<Id>,
    },
    /// The new slot did not become healthy.
    #[error("{slot} is not healthy after {seconds} s: {last}")]
    NotHealthy {
        /// The slot.
        slot: Slot,
        /// How long was waited.
        seconds: u64,
        /// What the last probe met.
        last: String,
    },
    /// A container of a slot ended.
    #[error("{service} of {slot} died: {how}")]
    Died {
        /// The slot.
        slot: Slot,
        /// The service.
        service: String,
        /// How.
        how: String,
    },
    /// The new slot is another release.
    #[error("{slot} says that it is '{found}' and not '{wanted}'")]
    WrongTag {
        /// The slot.
        slot: Slot,
        /// The tag that was asked for.
        wanted: String,
        /// The tag that it answers.
        found: String,
    },
    /// The new slot does not say which release it is.
    #[error("{slot} does not answer {path} with its tag: {why}")]
    NoVersion {
        /// The slot.
        slot: Slot,
        /// The path.
        path: String,
        /// What it answers.
        why: String,
    },
    /// A request was lost in the switch.
    #[error("{failed} of {requests} requests failed, the first one: {first}")]
    Lost {
        /// How many.
        failed: u64,
        /// Of how many.
        requests: u64,
        /// What the first of them met.
        first: String,
    },
    /// nginx goes on serving the other slot.
    #[error("nginx does not serve {slot} {seconds} s after the switch")]
    NotServed {
        /// The slot that has the traffic.
        slot: Slot,
        /// How long was waited.
        seconds: u64,
    },
    /// The new slot is worse than the old one.
    #[error("the release is worse: {0}")]
    Worse(String),
    /// Another run has led the traffic back.
    #[error("run {0} led the traffic back")]
    TakenBack(String),
    /// The old slot could not be stopped.
    #[error("{0} has no traffic any more, but could not be stopped")]
    NotStopped(Slot, #[source] Box<Error>),
    /// A container runs on after it was stopped.
    #[error("'{0}' runs on after it was stopped")]
    StillRuns(String),
    /// SIGINT or SIGTERM.
    #[error("told to stop")]
    Cancelled,
    /// The traffic is where it belongs, and something is left to do.
    #[error("{0} has the traffic, but not all is done")]
    Unfinished(Slot, #[source] Box<Error>),
    /// It failed, and the state before is back.
    #[error("the release was taken back")]
    RolledBack(#[source] Box<Error>),
    /// It failed, and so did finishing it, or taking it back.
    #[error("the release is left half way")]
    HalfWay(#[source] Box<Error>),
}

impl Error {
    /// Returns a function that wraps an I/O error on `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            path: path.clone(),
            source,
        }
    }
}

impl Fail for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(error) => error.kind(),
            Self::Upstream(error) => error.kind(),
            Self::State(error) => error.kind(),
            Self::Docker(error) => error.kind(),
            Self::Postgres(error) => error.kind(),
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Usage(_) => ErrorKind::Usage,
            Self::Setting(_) | Self::ComposeFile { .. } => ErrorKind::Config,
            Self::Start { source, .. } => ErrorKind::of_io(source),
            Self::NoCompose
            | Self::NotLaid(_)
            | Self::NoImage(_)
            | Self::NoOldImage(_)
            | Self::NoRelease(_)
            | Self::NothingBefore => ErrorKind::NotFound,
            Self::Front(_) | Self::Gate { .. } | Self::Schema { .. } => ErrorKind::Gate,
            Self::Compose { .. } | Self::StillRuns(_) => ErrorKind::Docker,
            Self::NoAnswer(_)
            | Self::FrontDown(_)
            | Self::NotHealthy { .. }
            | Self::Died { .. } => ErrorKind::Unreachable,
            Self::WrongTag { .. } | Self::NoVersion { .. } => ErrorKind::Content,
            Self::Lost { .. }
            | Self::NotServed { .. }
            | Self::Worse(_)
            | Self::TakenBack(_)
            | Self::RolledBack(_) => ErrorKind::RolledBack,
            Self::NotStopped(..) | Self::Unfinished(..) => ErrorKind::Partial,
            Self::Cancelled => ErrorKind::Interrupted,
            Self::HalfWay(_) => ErrorKind::HalfWay,
            Self::Lane(_) => ErrorKind::Io,
            Self::NginxDown(_) => ErrorKind::Unreachable,
            Self::NginxRefuses(_) => ErrorKind::Gate,
            Self::NotSwitched(_) => ErrorKind::RolledBack,
            Self::HalfSwitched(_) | Self::NotBack(_) => ErrorKind::HalfWay,
        }
    }

    fn hint(&self) -> Option<String> {
        hint::of(self)
    }
}
