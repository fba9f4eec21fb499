//! Figures for docs/benchmarks.md: `cargo test --release -p th-archive -- --ignored --nocapture`.

use std::fs;
use std::time::Instant;

use crate::kit::{Bench, noise};

const FILES: u64 = 100_000;

#[test]
#[ignore = "takes a minute and a gigabyte"]
#[expect(clippy::print_stdout, reason = "figures are what it is for")]
fn a_hundred_thousand_files() {
    let mut bench = Bench::new();
    bench.compression = "zstd:3".parse().unwrap();
    for n in 0..FILES {
        let dir = bench.root().join(format!("{:03}", n % 500));
        if n < 500 {
            fs::create_dir(&dir).unwrap();
        }
        // Half of each file compresses.
        let mut content = noise(n, 5_000);
        content.resize(10_000 + (n % 1000) as usize, b'x');
        fs::write(dir.join(format!("document-{n}.pdf")), content).unwrap();
    }
    bench.age();
    let mut before = None;
    for run in ["first", "second", "third"] {
        let start = Instant::now();
        let taken = bench.capture(before.as_ref());
        let files = &taken.captured.files;
        println!(
            "{run}: {:.2} s, {} files, {} bytes, {} read, stored {} bytes, listing {} bytes, peak {}",
            start.elapsed().as_secs_f64(),
            files.count,
            files.total_bytes,
            files.new_count,
            taken.captured.stored_bytes,
            taken.captured.listing.bytes,
            peak(),
        );
        before = Some(taken);
    }
    let start = Instant::now();
    let (_, unpacked) = bench.unpack(&before.unwrap());
    let seconds = start.elapsed().as_secs_f64();
    println!("unpack: {seconds:.2} s, {unpacked:?}, peak {}", peak());
}

/// Returns the largest size that this process has had in memory.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace()
        .skip(1)
        .collect::<Vec<_>>()
        .join(" ")
}
