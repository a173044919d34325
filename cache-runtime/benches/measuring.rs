//! What it costs a hit that the cache measures, besides counting: hits in memory and on Redis, with
//! and without `histograms`, by turns in one run.
//!
//! ```text
//! cargo bench -p cache-runtime --bench measuring
//! cargo bench -p cache-runtime --bench measuring -- redis://127.0.0.1   # and hits on this server
//! ```

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::env;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheBuilder, cached};
use tokio::runtime;

const ROUNDS: usize = 21;

#[cached(key = "measured:<id>", ttl = 3600)]
async fn measured(id: u64) -> u64 {
    id
}

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let in_memory = |settings: CacheBuilder| settings.in_memory().expect("valid settings");
        compare("a hit in memory", 50_000, in_memory).await;
        for url in env::args().skip(1).filter(|argument| argument.starts_with("redis")) {
            let connect = |settings: CacheBuilder| settings.connect(&url).expect("a URL");
            compare("a hit on Redis", 2_000, connect).await;
        }
    });
}

/// The median of the rounds, and of the differences within a round.
async fn compare(what: &str, hits: u32, cache: impl Fn(CacheBuilder) -> Cache) {
    let caches = [false, true].map(|measures| cache(Cache::builder().histograms(measures)));
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let without = nanoseconds(&caches[0], hits).await;
        rounds.push((without, nanoseconds(&caches[1], hits).await));
    }
    // The first round warms up.
    let rounds = &rounds[1..];
    let without = median(rounds.iter().map(|(without, _)| *without));
    let with = median(rounds.iter().map(|(_, with)| *with));
    let costs = median(rounds.iter().map(|(without, with)| with - without));
    println!("{what}: {without:.0} ns without, {with:.0} ns with; measuring costs {costs:.0} ns");
}

/// How long a hit takes.
async fn nanoseconds(cache: &Cache, hits: u32) -> f64 {
    let round = async {
        let began = Instant::now();
        for _ in 0..hits {
            measured(7).await;
        }
        began.elapsed()
    };
    let took: Duration = cache.scope(round).await;
    took.as_nanos() as f64 / f64::from(hits)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
