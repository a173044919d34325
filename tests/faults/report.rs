//! What the driver saw, and what it makes of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cache_runtime::Stats;

use crate::stalls;

/// The default budget, in which each lookup and each half of a write (its fence, its invalidation) must be done.
pub const BUDGET: Duration = Duration::from_millis(100);
/// By how much a call may exceed budget and body, besides what the machine took away.
const MARGIN: Duration = Duration::from_millis(500);
/// How many calls of a thousand may exceed that too, and how many besides: a test is no real-time system.
const LATE: (usize, usize) = (1, 5);
/// Wrong things that are kept; one is enough to fail.
const KEPT: usize = 20;

/// What happened, by the time at which it began.
#[derive(Debug, Default)]
pub struct Log(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    reads: Vec<(Instant, Duration)>,
    writes: Vec<(Instant, Duration)>,
    fault: Option<Instant>,
    healed: Option<Instant>,
    wrong: Vec<String>,
}

/// The driver's verdict.
#[derive(Debug)]
pub struct Report {
    pub figures: Vec<String>,
    pub wrong: Vec<String>,
    /// Calls that took longer than budget, body and margin.
    pub late: usize,
    pub calls: usize,
}

impl Log {
    /// A read that has returned just now.
    pub fn read(&self, begun: Instant) {
        let took = begun.elapsed();
        self.entries().reads.push((begun, took));
    }

    /// A write that has returned just now.
    pub fn written(&self, begun: Instant) {
        let took = begun.elapsed();
        self.entries().writes.push((begun, took));
    }

    pub fn fault(&self) {
        self.entries().fault.get_or_insert_with(Instant::now);
    }

    pub fn healed(&self) {
        self.entries().healed = Some(Instant::now());
    }

    /// Something that must not happen.
    pub fn wrong(&self, what: String) {
        let mut entries = self.entries();
        if entries.wrong.len() < KEPT {
            entries.wrong.push(what);
        }
    }

    pub fn has_seen(&self, wrong: &str) -> bool {
        self.entries().wrong.iter().any(|seen| seen.contains(wrong))
    }

    /// Prints the figures, and judges them by the cache's budget.
    pub fn report(&self, fault: &str, budget: Duration, stats: &Stats) -> Report {
        let entries = self.entries();
        let limits = [budget + MARGIN, 2 * budget + MARGIN];
        let kinds = [("reads", &entries.reads), ("writes", &entries.writes)];
        let (mut late, mut calls, mut lines) = (0, 0, Vec::new());
        for ((kind, all), limit) in kinds.into_iter().zip(limits) {
            let is_late = |begun, took| took > limit && took > limit + stalls::within(begun, took);
            late += all.iter().filter(|(begun, took)| is_late(*begun, *took)).count();
            calls += all.len();
            let during = all.iter().filter(|(begun, _)| entries.is_during_fault(*begun));
            let mut took: Vec<_> = during.map(|(_, took)| *took).collect();
            took.sort_unstable();
            lines.push(format!("fault: {fault}: {kind}: {}", figures(&took)));
        }
        let counters = counters(stats);
        lines.push(format!("fault: {fault}: {late} of {calls} calls late; {counters}"));
        println!("{}", lines.join("\n"));
        Report { figures: lines, wrong: entries.wrong.clone(), late, calls }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn is_during_fault(&self, begun: Instant) -> bool {
        self.fault.is_none_or(|fault| begun >= fault)
            && self.healed.is_none_or(|healed| begun < healed)
    }
}

impl Report {
    /// Fails the test where something was wrong.
    pub fn assert(&self) {
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
        assert!(!self.is_too_late(), "{} of {} calls were late", self.late, self.calls);
    }

    pub fn is_too_late(&self) -> bool {
        let (of_a_thousand, besides) = LATE;
        self.late > self.calls * of_a_thousand / 1000 + besides
    }
}

fn figures(sorted: &[Duration]) -> String {
    let quantile = |per_cent: usize| {
        let at = (sorted.len() * per_cent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).copied().unwrap_or_default()
    };
    let (p50, p99, max) = (quantile(50), quantile(99), quantile(100));
    format!("{} during the fault, p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}", sorted.len())
}

fn counters(stats: &Stats) -> String {
    let sum = |field: fn(&cache_runtime::stats::FunctionStats) -> u64| -> u64 {
        stats.functions.iter().map(field).sum()
    };
    format!(
        "hits {}, misses {}, outdated {}, down {}, timeouts {}, lost {}, refused {}, journalled {}",
        sum(|f| f.hits),
        sum(|f| f.misses),
        sum(|f| f.outdated),
        sum(|f| f.store_down),
        sum(|f| f.store_timeouts),
        sum(|f| f.store_lost),
        sum(|f| f.store_refused),
        sum(|f| f.invalidations_journalled),
    )
}
