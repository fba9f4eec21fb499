//! What is always open: an upload, a download, a websocket, one after the other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use th_kit::{Long, Stream};

use crate::subject::Subject;

/// How long each one takes. The drain waits for it, so it is part of each release's time.
const TIME: Duration = Duration::from_secs(4);

/// Streams, each kind begun again as soon as it has ended.
pub(crate) struct Streams {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<(u64, Vec<String>)>>,
}

impl Streams {
    pub(crate) fn start(subject: &Subject) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let kinds = [
            (Long::Upload, subject.upload.clone()),
            (Long::Download, subject.download.clone()),
            (Long::Websocket, subject.websocket.clone()),
        ];
        let spawn = |(long, path): (Long, String)| {
            let stop = Arc::clone(&stop);
            let (address, headers) = (
                subject.traffic.address.clone(),
                subject.traffic.headers.clone(),
            );
            thread::spawn(move || {
                let (mut whole, mut cut) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    let stream = Stream::start(long, &address, &path, &headers, TIME);
                    match stream.finish_in_time() {
                        Ok(_) => whole += 1,
                        Err(error) => cut.push(told(long, &error)),
                    }
                }
                (whole, cut)
            })
        };
        let threads = kinds.into_iter().map(spawn).collect();
        Self { stop, threads }
    }

    /// Returns how many came to their end, and how the others were cut.
    pub(crate) fn finish(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut whole, mut cut) = (0, Vec::new());
        for thread in self.threads {
            match thread.join() {
                Ok((ended, cuts)) => {
                    whole += ended;
                    cut.extend(cuts);
                }
                Err(_) => cut.push("a thread died".to_owned()),
            }
        }
        (whole, cut)
    }
}

fn told(long: Long, error: &io::Error) -> String {
    // Whatever is wrong, it is not asked a thousand times a second.
    thread::sleep(Duration::from_millis(200));
    format!("{long:?}: {error}")
}
