//! A history of reads and writes under faults, checked against what the protocol promises.
//!
//! Several processes read and write the rows of a SQLite file through caches over one Redis, while
//! links break, the server and the processes stop, and entries vanish. Everything is recorded, and
//! the rules of [`history`] are applied.
//!
//! # Clock
//!
//! Times are those of `CLOCK_MONOTONIC`. On one machine it is one clock for all processes: it never
//! goes back, and what happens after something else gets no earlier time. `Instant` is the same
//! clock, but cannot be sent to the parent.
//!
//! # What counts as acknowledged
//!
//! What a write could not deliver is in the journal by the time it returns. So once the journal has
//! been seen empty after the return, the invalidation was acknowledged, by the write itself or by
//! the journal's delivery.
//!
//! # Running it
//!
//! | variable | |
//! |---|---|
//! | `CACHE_TEST_SEED` | repeats the choices of a run; the schedule of processes is the system's |
//! | `CACHE_TEST_OPERATIONS` | how many in one round |
//! | `CACHE_TEST_SECONDS` | starts rounds, each with a seed of its own, until so much time has passed: 3600 for an hour |

mod actors;
mod database;
mod faults;
mod functions;
mod manners;
mod restarts;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cache_testing::children::{self, Child, Children, this_test};
use cache_testing::dice::Dice;
use cache_testing::history::{History, Time};
use cache_testing::proxy::Proxy;
use cache_testing::redis::RedisServer;
use rustix::time::{ClockId, clock_gettime};

use crate::actors::{Orders, Report};
use crate::database::Database;
use crate::faults::Trouble;

const PROCESSES: usize = 4;
const OPERATIONS: usize = 16_000;

/// The present time of the clock that all processes share, in nanoseconds.
fn now() -> Time {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000
        + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// Half of the processes run their tasks on one thread, half on two.
fn runtime(threads: usize) -> tokio::runtime::Runtime {
    match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    }
    .worker_threads(threads)
    .enable_all()
    .build()
    .unwrap()
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}")))
}

#[test]
fn no_read_falls_behind_an_invalidation() {
    if let Some(parent) = children::parent() {
        let threads = 1 + parent.index() % 2;
        return runtime(threads).block_on(actors::act(parent, threads == 1));
    }
    let until = Instant::now() + Duration::from_secs(setting("CACHE_TEST_SECONDS").unwrap_or(0));
    let mut seed = setting("CACHE_TEST_SEED").unwrap_or_else(now);
    loop {
        runtime(2).block_on(round(&this_test!(), seed));
        seed = seed.wrapping_add(1);
        if Instant::now() >= until {
            return;
        }
    }
}

async fn round(test: &str, seed: u64) {
    println!("CACHE_TEST_SEED={seed}");
    let since = Instant::now();
    let server = RedisServer::start().await;
    let path = server.directory().join("rows.db");
    let database = Database::create(&path).await;
    let operations = setting("CACHE_TEST_OPERATIONS").unwrap_or(OPERATIONS) / PROCESSES;

    let (mut proxies, mut processes) = (Vec::new(), Vec::new());
    for index in 0..PROCESSES {
        let proxy = Proxy::to(&server).await;
        let url = server.url_at(proxy.port());
        let orders = Orders { url, database: path.clone(), seed, operations };
        processes.push(Child::spawn(test, index, &orders));
        proxies.push(proxy);
    }
    let mut processes = Children(processes);
    processes.expect_from_all("ready").await;
    processes.say_to_all("go").await;

    let pids = processes.0.iter().map(Child::pid).collect();
    let trouble = Trouble::start(server, proxies, pids, database, &Dice::new(seed));
    for process in &mut processes.0 {
        while process.hear::<String>().await != "done" {}
    }
    let (mut history, faults, _server) = trouble.end().await;
    processes.say_to_all("settle").await;

    let mut events = BTreeMap::<String, u64>::new();
    for process in &mut processes.0 {
        // Until everything is delivered, which a pause of the journal may precede.
        let report: Report = process.hear().await;
        history.append(report.history);
        for (event, count) in report.events {
            *events.entry(event).or_default() += count;
        }
    }
    processes.finish().await;
    judge(seed, &history);
    println!(
        "{} reads and {} writes, {} of them fenced, in {:.1?}\nfaults: {faults:?}\nevents: \
            {events:?}",
        history.reads.len(),
        history.writes.len(),
        fenced(&history),
        since.elapsed(),
    );
    worth_something(&history, &events);
}

fn judge(seed: u64, history: &History) {
    let violations = history.violations();
    let some: Vec<String> = violations.iter().take(5).map(ToString::to_string).collect();
    assert!(
        violations.is_empty(),
        "{} of {} reads were stale, CACHE_TEST_SEED={seed}\n{}",
        violations.len(),
        history.reads.len(),
        some.join("\n")
    );
}

/// A history in which nothing happens proves nothing.
fn worth_something(history: &History, events: &BTreeMap<String, u64>) {
    let at_least = |event: &str, count: usize| {
        let counted = events.get(event).copied().unwrap_or_default();
        assert!(counted >= count as u64, "{counted} {event}: {events:?}");
    };
    let (reads, writes) = (history.reads.len(), history.writes.len());
    at_least("hit", reads / 40);
    at_least("coalesced", reads / 200);
    at_least("stale", reads / 400);
    at_least("refreshes_ok", reads / 1000);
    at_least("refreshes_failed", reads / 2000);
    at_least("refreshes_early", reads / 6000);
    at_least("fills_stored", writes / 20);
    at_least("fills_refused", writes / 200);
    at_least("invalidations_journalled", 1);
    let fenced = fenced(history);
    assert!(fenced >= writes / 20, "{fenced} of {writes} writes were fenced");
}

fn fenced(history: &History) -> usize {
    history.writes.iter().filter(|write| write.fenced).count()
}
