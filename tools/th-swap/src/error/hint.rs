//! What to do next.

use th_record::Fail;

use super::Error;

/// Returns what the person should do about `error`.
pub(super) fn of(error: &Error) -> Option<String> {
    match error {
        Error::Config(error) => error.hint(),
        Error::Upstream(error) => error.hint(),
        Error::State(error) => error.hint(),
        Error::Docker(error) => error.hint(),
        Error::Postgres(error) => error.hint(),
        Error::HalfWay(error) | Error::Unfinished(_, error) => {
            let resume = "th-swap resume goes on from here once what is wrong is put right";
            Some(of(error).map_or(resume.to_owned(), |hint| format!("{resume}: {hint}")))
        }
        Error::RolledBack(error) | Error::NotStopped(_, error) => of(error),
        _ => own(error),
    }
}

fn own(error: &Error) -> Option<String> {
    let hint = match error {
        Error::NginxDown(_) => "start it, and say in slots.nginx.pid where its process id is",
        Error::NginxRefuses(_) => "mend it until nginx -t is content, then try again",
        Error::HalfSwitched(_) => {
            "put the include file back by hand: its last one ends in .previous"
        }
        Error::NotSwitched(_) | Error::NotBack(_) => "the error log of nginx may tell more",
        Error::NoCompose => "install the compose plugin, or: apt-get install docker-compose",
        Error::ComposeFile { .. } => {
            "mend the file; th-swap gives it TH_SLOT, TH_TAG, TH_ROOT and TH_ENV_FILE"
        }
        Error::NotLaid(_) => "run th-swap init first",
        Error::NoImage(_) => "build or pull it: docker images shows what is there",
        Error::NoOldImage(_) => {
            "pull it, or build it; if that release had no such service, put back the compose file that \
             it was released with"
        }
        Error::FrontDown(_) => "start nginx; slots.nginx.front says where it listens",
        Error::Front(_) => {
            "is nginx running, and does it include the file that th-swap init has laid?"
        }
        Error::NoRelease(_) | Error::NothingBefore => "th-swap history lists the releases",
        Error::Gate { name, .. } => return gate(name).map(str::to_owned),
        Error::Schema {
            environment,
            heads,
            set,
            ..
        } => {
            let down = heads.last().map(String::as_str).unwrap_or_default();
            let back = set.as_ref().map_or(String::new(), |set| {
                format!(", or th-restore apply -e {environment} --only db {set} with the loss of what came after it")
            });
            return Some(format!(
                "take the schema back first: the app's own down-migration to {down}{back}; \
                 or release a repaired version forward"
            ));
        }
        Error::NotHealthy { slot, .. }
        | Error::Died { slot, .. }
        | Error::NoVersion { slot, .. } => {
            return Some(format!(
                "docker compose logs of its project, which ends in -{slot}, tell why"
            ));
        }
        Error::WrongTag { .. } => "does the compose file use ${TH_TAG}, and does the app get it?",
        Error::NotServed { .. } => {
            "does nginx include the file that th-swap init has laid, of this very root?"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn gate(name: &str) -> Option<&'static str> {
    match name {
        "memory" => Some("two slots run side by side during a release: make room, or add memory"),
        "connections" => {
            Some("raise max_connections, or make the app's pool smaller: two slots have two pools")
        }
        "lanes" => Some(
            "write the file that nginx includes anew with th-swap init, reload nginx, then remove these lanes",
        ),
        "disk" => Some("make room first"),
        "path" => Some("move the environment's root to a shorter path"),
        "probes" => Some(
            "the paths of slots.nginx.probes must answer 2xx through the web server, also during maintenance; \
             th-swap maintenance off ends it",
        ),
        "same_image" => Some(
            "th-swap to --tag TAG releases what the tag is now; or give the tag back to the image that it was",
        ),
        _ => None,
    }
}
