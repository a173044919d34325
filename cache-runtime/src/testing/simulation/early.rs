//! Early refreshes, against what the paper says of them: however many readers there are, at the end
//! of a value's time to live about one of them loads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate as cache_runtime;
use crate::cache::Cache;
use crate::cached;
use crate::read::freshness::is_drawn;
use crate::testing::simulation::simulate;

/// What a load takes, in milliseconds.
const COST: u64 = 20;
const TTL: u64 = 1_000;

/// Loads for one end of a time to live, where nothing but the draw keeps readers from it: `readers`
/// look every millisecond until the first load is done.
fn loads(readers: u64, beta: f64) -> u64 {
    let (mut loads, mut done) = (0, None);
    for now in 0..TTL {
        if done == Some(now) {
            return loads;
        }
        for _ in 0..readers {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let drawn = is_drawn(COST as f64, beta, TTL - now);
            if drawn {
                loads += 1;
                done = done.or(Some(now + COST));
            }
        }
    }
    // The value ended before its successor was there: now everybody loads.
    loads + if done.is_some_and(|done| done <= TTL) { 0 } else { readers }
}

#[test]
fn however_many_readers_about_one_loads() {
    for (beta, most) in [(1.0, 4.0), (2.0, 2.0), (4.0, 1.6)] {
        for readers in [10, 100, 1_000] {
            let rounds = 40;
            let sum: u64 = (0..rounds)
                .map(|seed| simulate(seed, |_| async move { loads(readers, beta) }))
                .sum();
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let mean = sum as f64 / rounds as f64;
            assert!((1.0..=most).contains(&mean), "{mean} loads, {readers} readers, β = {beta}");
        }
    }
}

/// Loads, and how many of them at once.
#[derive(Clone, Debug, Default)]
struct Origin(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    loads: AtomicU64,
    running: AtomicU64,
    most: AtomicU64,
}

#[cached(key = "early", ttl = "1s", early = 1.0, skip(origin), crate = cache_runtime)]
async fn early(origin: &Origin) -> u64 {
    let Counts { loads, running, most } = &*origin.0;
    most.fetch_max(1 + running.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    sleep(Duration::from_millis(COST)).await;
    running.fetch_sub(1, Ordering::Relaxed);
    loads.fetch_add(1, Ordering::Relaxed)
}

/// Under the lease exactly one: nobody but the reader that drew it waits, and no reader ever finds
/// the value gone.
#[test]
fn one_reader_loads_and_the_others_keep_hitting() {
    for seed in 0..3 {
        let (counts, waits, misses) = simulate(seed, |_| async {
            let (cache, origin) = (Cache::in_memory(), Origin::default());
            cache.scope(early(&origin)).await;
            let mut readers = JoinSet::new();
            for reader in 0..50 {
                let (cache, origin) = (cache.clone(), origin.clone());
                readers.spawn(async move {
                    let mut waits = 0;
                    sleep(Duration::from_millis(reader % 5)).await;
                    for _ in 0..1_000 {
                        let since = Instant::now();
                        cache.scope(early(&origin)).await;
                        waits += u64::from(!since.elapsed().is_zero());
                        sleep(Duration::from_millis(5)).await;
                    }
                    waits
                });
            }
            let mut waits = 0;
            while let Some(reader) = readers.join_next().await {
                waits += reader.unwrap();
            }
            let misses = cache.stats().function("early").unwrap().misses();
            (origin.0, waits, misses)
        });
        let (loads, most) =
            (counts.loads.load(Ordering::Relaxed), counts.most.load(Ordering::Relaxed));
        assert_eq!(most, 1, "at once, CACHE_TEST_SEED={seed}");
        assert_eq!(misses, 1, "the first, CACHE_TEST_SEED={seed}");
        assert_eq!(waits, loads - 1, "those who drew it, CACHE_TEST_SEED={seed}");
        assert!((5..=8).contains(&loads), "{loads} in five seconds, CACHE_TEST_SEED={seed}");
    }
}
