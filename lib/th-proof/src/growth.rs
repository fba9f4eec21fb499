//! What is to be seen of a restore: the dump on its way to the server, then how the database grows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, park_timeout};
use std::time::Duration;

use th_cli::Run;
use th_postgres::Server;

/// Between two looks at the size of a database.
const PAUSE: Duration = Duration::from_secs(1);

/// Does `work`, which calls back with the bytes of the dump that it handed over, of `total`. Once it
/// has them all, the size of the database `name` is shown: how large it will be nobody knows.
pub(crate) fn shown<T>(
    run: &Run,
    server: &Server,
    name: &str,
    total: u64,
    work: impl FnOnce(&mut (dyn FnMut(u64) + Send)) -> T,
) -> T {
    let over = AtomicBool::new(false);
    let mut spool = Some(run.progress("spool", Some(total)));
    let mut left = total;
    thread::scope(|scope| {
        let mut watcher = None;
        let result = work(&mut |bytes| {
            left = left.saturating_sub(bytes);
            if let Some(bar) = &spool {
                bar.add(bytes);
            }
            if left == 0 && spool.take().is_some() {
                let progress = run.progress("restore", None);
                let over = &over;
                watcher = Some(scope.spawn(move || {
                    let mut seen = 0;
                    let mut admin = server.admin();
                    while !over.load(Ordering::Acquire) {
                        // What keeps it from looking keeps the restore too, which will say so.
                        let Ok(size) = admin.as_mut().map_or(Ok(0), |admin| admin.size(name))
                        else {
                            break;
                        };
                        progress.add(size.saturating_sub(seen));
                        seen = seen.max(size);
                        park_timeout(PAUSE);
                    }
                }));
            }
        });
        over.store(true, Ordering::Release);
        if let Some(watcher) = watcher {
            watcher.thread().unpark();
        }
        result
    })
}
