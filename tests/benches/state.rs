//! What the state costs: resident memory of a million users, and how fast a snapshot of it is written and read.
#![allow(
    missing_docs,
    reason = "criterion's macros generate undocumented items"
)]
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a bench may fail loudly"
)]

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use cae_core::state::{SnapshotReader, SnapshotWriter, StateTable};
use cae_tests::{places, population};
use criterion::{BatchSize, Criterion, Throughput, criterion_group};

/// A line of `/proc/self/status`, in bytes; `None` where there is no such file.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes << 10)
}

/// Resident bytes now (`/proc/self/statm`, second number, in pages).
fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages << 12)
}

/// Builds the table first of all, so that nothing that was freed before lends it memory.
fn measured_table() -> StateTable {
    let before = resident();
    let table = population::table();
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{} records, {:.1} MiB asked for",
        table.len(),
        mebibytes(table.heap_bytes() as u64)
    );
    if let (Some(before), Some(after), Some(peak)) = (before, resident(), status("VmHWM")) {
        println!(
            "resident: {:.1} MiB more than before, {:.1} MiB at most while it grew; bound 160 MiB",
            mebibytes(after.saturating_sub(before)),
            mebibytes(peak.saturating_sub(before)),
        );
    }
    table
}

fn restored(chunks: &[Vec<u8>]) -> StateTable {
    let mut reader = SnapshotReader::new();
    for chunk in chunks {
        reader.push(chunk).unwrap();
    }
    reader.finish().unwrap()
}

fn state_benches(criterion: &mut Criterion) {
    let table = measured_table();
    let chunks: Vec<Vec<u8>> = SnapshotWriter::new(&table).collect();
    let bytes: usize = chunks.iter().map(Vec::len).sum();
    println!("snapshot: {bytes} bytes in {} chunks", chunks.len());

    let mut group = criterion.benchmark_group("snapshot of 1.2 million records");
    group
        .throughput(Throughput::BytesDecimal(bytes as u64))
        .sample_size(10);
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            SnapshotWriter::new(&table)
                .map(|chunk| black_box(chunk).len())
                .sum::<usize>()
        });
    });
    group.bench_function("read", |bencher| {
        bencher.iter_batched(|| (), |()| restored(&chunks), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().output_directory(&places::root().join("target/criterion"))
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5));
    targets = state_benches
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
