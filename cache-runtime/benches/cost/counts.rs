//! What a process counts of itself.

use std::alloc::System;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::str::FromStr;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
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
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu: Duration = cpu.try_into().expect("a time after zero");
        let sleeps = sleeps();
        let stats = ALLOCATOR.stats();
        Self {
            allocations: (stats.allocations + stats.reallocations) as f64,
            bytes: stats.bytes_allocated as f64,
            cpu: cpu.as_secs_f64() * 1e6,
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

/// Of all threads (proc(5)).
fn sleeps() -> u64 {
    let threads = fs::read_dir("/proc/self/task").expect("Linux");
    threads
        .map(|thread| {
            let status = thread.expect("a thread").path().join("status");
            let status = fs::read_to_string(status).expect("its status");
            let line = status.lines().find_map(|it| it.strip_prefix("voluntary_ctxt_switches:"));
            line.and_then(|count| count.trim().parse::<u64>().ok()).expect("a count")
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
