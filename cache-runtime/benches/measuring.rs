//! What it costs a hit to be watched, by turns in one run: hits in memory and on Redis, without and
//! with `histograms`; and, where the feature `tracing` is compiled in, without a subscriber, with
//! one that asks for other things, and with one that takes the spans.
//!
//! ```text
//! cargo bench -p cache-runtime --bench measuring
//! cargo bench -p cache-runtime --bench measuring -- redis://127.0.0.1   # and hits on this server
//! cargo bench -p cache-runtime --bench measuring --no-default-features  # where spans do not exist
//! ```

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::env;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheBuilder, cached};
use tokio::runtime;
use tracing::callsite::rebuild_interest_cache;
use tracing::dispatcher::{Dispatch, set_default};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

/// Short ones, of which some are not interrupted on a machine that has other work too.
const ROUNDS: usize = 2_001;

#[cached(key = "measured:<id>", ttl = 3600)]
async fn measured(id: u64) -> u64 {
    id
}

/// A cache, and who listens to `tracing` while it is asked.
struct Subject {
    name: &'static str,
    cache: Cache,
    subscriber: Option<Targets>,
}

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let in_memory = |settings: CacheBuilder| settings.in_memory().expect("valid settings");
        compare_all("a hit in memory", 500, in_memory).await;
        for url in env::args().skip(1).filter(|argument| argument.starts_with("redis")) {
            let connect = |settings: CacheBuilder| settings.connect(&url).expect("a URL");
            compare_all("a hit on Redis", 20, connect).await;
        }
    });
}

async fn compare_all(what: &str, hits: u32, cache: impl Fn(CacheBuilder) -> Cache) {
    let histograms = [("without histograms", false), ("with them", true)];
    let histograms = histograms.map(|(name, measures)| {
        let cache = cache(Cache::builder().histograms(measures));
        Subject { name, cache, subscriber: None }
    });
    compare(what, hits, &histograms).await;
    if !cfg!(feature = "tracing") {
        return println!("{what}: the feature `tracing` is not compiled in");
    }
    let cache = cache(Cache::builder());
    let others = Targets::new().with_default(LevelFilter::INFO);
    let spans = Targets::new().with_target("cache_runtime::call", LevelFilter::DEBUG);
    let subscribers = [
        ("without a subscriber", None),
        ("with one for other things", Some(others)),
        ("with one that takes the spans", Some(spans)),
    ];
    let subscribers = subscribers.map(|(name, subscriber)| {
        let cache = cache.clone();
        Subject { name, cache, subscriber }
    });
    compare(what, hits, &subscribers).await;
}

/// The shortest round of each, and the lower quartile.
async fn compare(what: &str, hits: u32, subjects: &[Subject]) {
    let mut rounds = vec![Vec::new(); subjects.len()];
    for round in 0..ROUNDS {
        // None of them always comes after the same other one.
        for turn in 0..subjects.len() {
            let at = (round + turn) % subjects.len();
            rounds[at].push(nanoseconds(&subjects[at], hits).await);
        }
    }
    for rounds in &mut rounds {
        rounds.sort_by(f64::total_cmp);
    }
    for (name, at) in [("shortest round", 0), ("lower quartile", ROUNDS / 4)] {
        let times = subjects.iter().zip(&rounds);
        let times = times.map(|(subject, rounds)| format!("{:.0} ns {}", rounds[at], subject.name));
        println!("{what}, {name}: {}", times.collect::<Vec<_>>().join(", "));
    }
}

/// How long a hit takes.
async fn nanoseconds(subject: &Subject, hits: u32) -> f64 {
    let targets = subject.subscriber.clone();
    let dispatch = targets.map(|targets| Dispatch::new(registry().with(targets)));
    let listening = dispatch.as_ref().map(set_default);
    // What `tracing` has found out about those who listened before counts no longer.
    rebuild_interest_cache();
    let round = async {
        let began = Instant::now();
        for _ in 0..hits {
            measured(7).await;
        }
        began.elapsed()
    };
    let took: Duration = subject.cache.scope(round).await;
    drop(listening);
    took.as_nanos() as f64 / f64::from(hits)
}
