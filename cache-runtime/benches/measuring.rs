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

/// Short ones, of which some are not interrupted on a machine that has other work too.
const ROUNDS: usize = 2_001;

#[cached(key = "measured:<id>", ttl = 3600)]
async fn measured(id: u64) -> u64 {
    id
}

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let in_memory = |settings: CacheBuilder| settings.in_memory().expect("valid settings");
        compare("a hit in memory", 500, in_memory).await;
        for url in env::args().skip(1).filter(|argument| argument.starts_with("redis")) {
            let connect = |settings: CacheBuilder| settings.connect(&url).expect("a URL");
            compare("a hit on Redis", 20, connect).await;
        }
    });
}

/// The shortest round of each, and the lower quartile.
async fn compare(what: &str, hits: u32, cache: impl Fn(CacheBuilder) -> Cache) {
    let caches = [false, true].map(|measures| cache(Cache::builder().histograms(measures)));
    let mut rounds = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        // Neither is always the one that comes after the other.
        for at in [round % 2, 1 - round % 2] {
            rounds[at].push(nanoseconds(&caches[at], hits).await);
        }
    }
    for rounds in &mut rounds {
        rounds.sort_by(f64::total_cmp);
    }
    for (name, at) in [("shortest round", 0), ("lower quartile", ROUNDS / 4)] {
        let [without, with] = [rounds[0][at], rounds[1][at]];
        let costs = with - without;
        println!("{what}, {name}: {without:.0} ns without, {with:.0} with, so {costs:.0} ns");
    }
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
