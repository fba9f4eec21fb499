//! What a server's SQLSTATE, or the words of a client program, say of the cause.

use th_record::ErrorKind;

/// What is said of a full file system: by the C library, and by the server of a write cut short.
const NO_SPACE: [&str; 3] = [
    "No space left on device",
    "Disk quota exceeded",
    "Check free disk space",
];
/// What the server says of what the role may not do, in each place that has words of its own.
pub(crate) const DENIED: [&str; 6] = [
    "permission denied ",
    "must be owner of ",
    "must be superuser",
    "must be member of role ",
    "must be able to SET ROLE ",
    "must have privileges of role ",
];
/// insufficient_privilege
pub(crate) const DENIED_STATE: &str = "42501";
/// What an old `pg_restore` says of the dump of a newer `pg_dump`.
pub(crate) const NEWER: &str = ") in file header";
/// What libpq says of a connection that broke or was refused.
const LOST: [&str; 7] = [
    "server closed the connection unexpectedly",
    "connection has been closed unexpectedly",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "could not connect to server",
    "connection to server ",
];

/// Tells a server that is full, overloaded, broken or going away, and one that does not let the role,
/// from one that refuses.
pub(crate) fn of_sqlstate(sqlstate: &str) -> ErrorKind {
    match sqlstate.get(..2) {
        // disk_full
        _ if sqlstate == "53100" => ErrorKind::NoSpace,
        _ if sqlstate == DENIED_STATE => ErrorKind::Gate,
        // connection_exception, insufficient_resources, operator_intervention, system_error
        Some("08" | "53" | "57" | "58") => ErrorKind::Unreachable,
        _ => ErrorKind::Database,
    }
}

/// As [`of_sqlstate`], from what a client program says: it tells no SQLSTATE.
pub(crate) fn of_words(stderr: &str) -> ErrorKind {
    if says(stderr, &NO_SPACE) {
        ErrorKind::NoSpace
    } else if says(stderr, &LOST) {
        ErrorKind::Unreachable
    } else if says(stderr, &[NEWER]) || says(stderr, &DENIED) {
        ErrorKind::Gate
    } else {
        ErrorKind::Database
    }
}

pub(crate) fn says(text: &str, words: &[&str]) -> bool {
    words.iter().any(|words| text.contains(words))
}
