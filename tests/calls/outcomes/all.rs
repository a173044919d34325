//! Calls at random, in every way that a call can go: whatever happens, their number is the sum of
//! their outcomes.

use std::collections::HashSet;
use std::time::Duration;

use cache_fixtures::stores::Store;
use cache_runtime::stats::{OutcomeKind, Stats};
use cache_runtime::{Cache, CallExt as _, Error, Key, cached, invalidates};
use cache_testing::barrier::Counter;
use cache_testing::dice::Dice;
use cache_testing::redis::Data;
use tokio::task::JoinSet;

#[derive(Clone, Debug)]
struct Failed;

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self
    }
}

/// Where values come from: at once or late, or not at all.
#[derive(Clone, Debug)]
struct Origin {
    dice: Dice,
    /// The calls of each function that have begun.
    calls: [Counter; FUNCTIONS.len()],
}

const FUNCTIONS: [&str; 6] = ["plain", "locked", "aging", "hasty", "rows", "by hand"];

impl Origin {
    async fn load(&self, id: u64) -> Result<u64, Failed> {
        match self.dice.below(12) {
            0 => return Err(Failed),
            1 => panic!("as the test wants it"),
            2..6 => {
                for _ in 0..self.dice.below(20) {
                    tokio::task::yield_now().await;
                }
            }
            6 => tokio::time::sleep(self.dice.span(5)).await,
            _ => {}
        }
        Ok(id)
    }

    fn count(&self, function: usize, calls: usize) {
        (0..calls).for_each(|_| _ = self.calls[function].count());
    }
}

#[cached(key = "plain:<id>", ttl = 3600, tags = ["group"], skip(origin))]
async fn plain(origin: &Origin, id: u64) -> Result<u64, Failed> {
    origin.load(id).await
}

#[cached(key = "locked:<id>", ttl = 3600, lock(wait = "5ms"), skip(origin))]
async fn locked(origin: &Origin, id: u64) -> Result<u64, Failed> {
    origin.load(id).await
}

#[cached(
    key = "aging:<id>",
    ttl = "2ms",
    stale_while_revalidate = "20ms",
    stale_if_error = "1h",
    load_timeout = "3ms",
    early = 1.0,
    skip(origin)
)]
async fn aging(origin: Origin, id: u64) -> Result<u64, Failed> {
    origin.load(id).await
}

#[cached(
    key = "hasty:<id>",
    ttl = 3600,
    max_concurrent_loads = 2,
    shed_after = "1ms",
    skip(origin)
)]
async fn hasty(origin: &Origin, id: u64) -> Result<u64, Failed> {
    origin.load(id).await
}

#[cached(
    key = "plain:<id>", ttl = 3600, tags = ["group"], batch(id in ids, chunk = 2), skip(origin)
)]
async fn rows(origin: &Origin, ids: &[u64]) -> Result<Vec<(u64, u64)>, Failed> {
    let first = ids.first().copied().unwrap_or_default();
    origin.load(first).await?;
    Ok(ids.iter().map(|id| (*id, *id)).collect())
}

#[invalidates(plain(id), locked(id), hasty(id), tag = "group")]
async fn write(id: u64) {
    tokio::task::yield_now().await;
    _ = id;
}

/// One call, or now and then a write. A call is counted when it is first polled.
async fn one(cache: Cache, origin: Origin) {
    let dice = origin.dice.clone();
    let (function, id, mode) = (dice.index(FUNCTIONS.len() + 1), dice.below(6), dice.below(10));
    macro_rules! call {
        ($call:expr, $ids:expr) => {{
            origin.count(function, $ids);
            match mode {
                0 => drop($call.bypass().await),
                1 => drop($call.refresh().await),
                _ => drop($call.await),
            }
        }};
    }
    let ids: Vec<_> = (0..dice.below(7)).map(|_| dice.below(6)).collect();
    let distinct = ids.iter().collect::<HashSet<_>>().len();
    let key: Key<u64> = Key::<u64>::builder().text("by-hand:").part(&id).done();
    let key = key.ttl(Duration::from_millis(5));
    let call = async {
        match function {
            0 => call!(plain(&origin, id), 1),
            1 => call!(locked(&origin, id), 1),
            2 => call!(aging(origin.clone(), id), 1),
            3 => call!(hasty(&origin, id), 1),
            4 => call!(rows(&origin, &ids), distinct),
            5 => call!(cache.get_or_load(&key, || origin.load(id)), 1),
            _ if mode < 2 => write(id).await,
            _ => {}
        }
    };
    cache.scope(call).await;
}

/// A crowd of calls, some of which are dropped on their way.
async fn crowd(cache: &Cache, origin: &Origin) {
    let mut calls = JoinSet::new();
    let mut dropped = Vec::new();
    for _ in 0..150 {
        let call = calls.spawn(one(cache.clone(), origin.clone()));
        if origin.dice.percent(15) {
            dropped.push(call);
        }
    }
    for call in dropped {
        tokio::task::yield_now().await;
        call.abort();
    }
    while calls.join_next().await.is_some() {}
}

async fn the_outcomes_add_up(store: Store) {
    let settings = Cache::builder().lease(Duration::from_millis(100));
    let settings = settings.budget(Duration::from_millis(50)).fence(Duration::from_millis(100));
    let cache = store.connect(settings);
    let dice = Dice::new(12);
    let origin = Origin { dice, calls: std::array::from_fn(|_| Counter::new()) };
    for round in 0..8 {
        let server = store.remote().map(|(server, _)| server.single());
        match (server, round) {
            (Some(server), 3) => server.stop(),
            (Some(server), 5) => server.kill(),
            _ => {}
        }
        crowd(&cache, &origin).await;
        match (server, round) {
            (Some(server), 3) => server.cont(),
            (Some(server), 5) => server.restart(Data::Lost).await,
            _ => {}
        }
        compare(&cache.stats(), &origin);
    }
    // How many calls are needed for each outcome to be seen depends on how fast all this is.
    let unseen = || {
        let all = cache.stats().functions;
        let is_seen = |kind| all.iter().any(|function| function.outcomes.of(kind) > 0);
        OutcomeKind::ALL.into_iter().find(|kind| !is_seen(*kind))
    };
    for _ in 0..500 {
        if unseen().is_none() {
            break;
        }
        crowd(&cache, &origin).await;
        compare(&cache.stats(), &origin);
    }
    assert_eq!(unseen(), None, "no call had this outcome");
}

fn compare(stats: &Stats, origin: &Origin) {
    for (function, calls) in FUNCTIONS.iter().zip(&origin.calls) {
        let counted = stats.function(function).cloned().unwrap_or_default();
        assert_eq!(counted.calls(), calls.get() as u64, "{function}: {counted:#?}");
        assert_eq!(counted.outcomes.uncached, counted.uncached.total(), "{function}");
        assert!(counted.misses() <= counted.calls(), "a call misses once: {counted:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_this_process() {
    the_outcomes_add_up(Store::embedded()).await;
}

/// The server is frozen for a while, and then killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_server_that_fails() {
    the_outcomes_add_up(Store::redis().await).await;
}
