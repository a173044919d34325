//! What a process counts of itself.

use std::alloc::System;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::str::FromStr;
use std::thread;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Since the process began, or per call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// With reallocations.
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    /// In microseconds.
    pub(crate) cpu: f64,
    /// How often a thread gave up its processor because it had to wait.
    pub(crate) sleeps: f64,
}

impl Counts {
    pub(crate) fn of_this_process() -> Self {
        // The kernel brings the time of a thread up to date when it may be another one's turn.
        thread::yield_now();
        let cpu = of_threads("schedstat", |text| text.split(' ').next()?.parse().ok());
        let sleeps = of_threads("status", |text| {
            let line = text.lines().find_map(|it| it.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse().ok()
        });
        let stats = ALLOCATOR.stats();
        Self {
            allocations: (stats.allocations + stats.reallocations) as f64,
            bytes: stats.bytes_allocated as f64,
            cpu: cpu as f64 / 1e3,
            sleeps: sleeps as f64,
        }
    }

    pub(crate) fn per_call_since(self, before: Self, calls: u64) -> Self {
        let per_call = |of: fn(&Self) -> f64| (of(&self) - of(&before)) / calls as f64;
        Self {
            allocations: per_call(|it| it.allocations),
            bytes: per_call(|it| it.bytes),
            cpu: per_call(|it| it.cpu),
            sleeps: per_call(|it| it.sleeps),
        }
    }
}

/// The sum of what this file says of each thread (proc(5)), which is read under `valgrind` too.
fn of_threads(file: &str, figure: impl Fn(&str) -> Option<u64>) -> u64 {
    let threads = fs::read_dir("/proc/self/task").expect("Linux");
    threads
        .map(|thread| {
            let text = fs::read_to_string(thread.expect("a thread").path().join(file));
            figure(&text.expect("a file of a thread")).expect("a figure")
        })
        .sum()
}

impl Display for Counts {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { allocations, bytes, cpu, sleeps } = self;
        write!(formatter, "{allocations} {bytes} {cpu} {sleeps}")
    }
}

impl FromStr for Counts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let figures: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
        match figures.as_deref() {
            Ok(&[allocations, bytes, cpu, sleeps]) => Ok(Self { allocations, bytes, cpu, sleeps }),
            _ => Err(format!("no counts: {text}")),
        }
    }
}
