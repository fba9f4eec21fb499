//! Connections to an app on TCP, as its own network namespace shows them: on the host there is only
//! what docker's proxy makes of them.

use std::collections::BTreeSet;
use std::fs;

use crate::sockets::space;

const ESTABLISHED: &str = "01";
const LISTENING: &str = "0A";

/// Returns how many connections the process has accepted and not ended; `None` when that cannot be
/// seen. `port` is the host's, which counts only for a container that has no network of its own.
pub(crate) fn connections(pid: u32, port: u16) -> Option<u64> {
    let table = |name: &str| fs::read_to_string(format!("/proc/{pid}/net/{name}"));
    // Without IPv6 there is no second table.
    let rows = table("tcp").ok()? + &table("tcp6").unwrap_or_default();
    let shared = space(&pid.to_string()) == space("self");
    Some(count(&rows, shared.then_some(port)))
}

fn count(rows: &str, only: Option<u16>) -> u64 {
    // A row is: number, local address, remote address, state, …
    let rows: Vec<(u16, &str)> = rows
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (_, port) = words.nth(1)?.rsplit_once(':')?;
            Some((u16::from_str_radix(port, 16).ok()?, words.nth(1)?))
        })
        .collect();
    let listening: BTreeSet<u16> = rows
        .iter()
        .filter(|(_, state)| *state == LISTENING)
        .map(|(port, _)| *port)
        .collect();
    let counts = |port: &u16| only.map_or_else(|| listening.contains(port), |only| only == *port);
    let accepted = rows.iter().filter(|(_, state)| *state == ESTABLISHED);
    accepted.filter(|(port, _)| counts(port)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::count;

    const ROWS: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0200A8C0:1F90 0100A8C0:C350 01 00000000:00000000 00:00000000 00000000     0
   2: 0200A8C0:C351 0300A8C0:1538 01 00000000:00000000 00:00000000 00000000     0
   3: 0200A8C0:1F90 0100A8C0:C352 06 00000000:00000000 00:00000000 00000000     0
";

    #[test]
    fn only_what_a_listener_has_accepted_counts() {
        assert_eq!(count(ROWS, None), 1);
        assert_eq!(count(ROWS, Some(8080)), 1);
        assert_eq!(count(ROWS, Some(8081)), 0);
    }
}
