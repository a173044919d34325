//! Redis is lost at 95 % hits, and the origin can bear a twentieth of what then comes at it.
//!
//! Shown by counts: how many loads run at once, and how many there are for so many calls, before,
//! during and after.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use cache_runtime::{Cache, ErrorKind, cached};
use cache_testing::barrier::eventually;
use cache_testing::redis::{Data, RedisServer};
use cache_testing::within_limit;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Callers at once, each with one call after another.
const CALLERS: usize = 100;
/// What the origin can bear at once.
const BOUND: usize = CALLERS / 20;
/// Entries that everybody reads.
const WARM: u64 = 200;
/// One call in so many reads what nobody has read before.
const FRESH: u64 = 20;
/// Calls of each caller in one phase.
const ROUND: u64 = 20;
/// A load. With all callers in line the last one waits twenty times as long.
const LOAD: Duration = Duration::from_millis(10);
/// Between two calls of a caller: at 95 % hits the origin has less to do than it can bear.
const PAUSE: Duration = Duration::from_millis(20);

/// Counts its loads, all in all and at once.
#[derive(Clone, Debug, Default)]
struct Origin(Arc<Loads>);

#[derive(Debug, Default)]
struct Loads {
    begun: AtomicU64,
    running: AtomicUsize,
    most: AtomicUsize,
    fresh: AtomicU64,
}

impl Origin {
    async fn load(&self, id: u64) -> u64 {
        self.0.begun.fetch_add(1, SeqCst);
        self.0.most.fetch_max(self.0.running.fetch_add(1, SeqCst) + 1, SeqCst);
        sleep(LOAD).await;
        self.0.running.fetch_sub(1, SeqCst);
        id
    }

    /// What nobody has read before.
    fn fresh(&self) -> u64 {
        WARM + self.0.fresh.fetch_add(1, SeqCst)
    }
}

/// Waits for its turn.
#[cached(key = "patient:<id>", ttl = 3600, skip(origin))]
async fn patient(origin: &Origin, id: u64) -> u64 {
    origin.load(id).await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TurnedAway(ErrorKind);

impl From<cache_runtime::Error> for TurnedAway {
    fn from(error: cache_runtime::Error) -> Self {
        Self(error.kind())
    }
}

/// Waits for so long, and is turned away.
#[cached(key = "hasty:<id>", ttl = 3600, shed_after = "20ms", skip(origin))]
async fn hasty(origin: &Origin, id: u64) -> Result<u64, TurnedAway> {
    Ok(origin.load(id).await)
}

/// What came of a number of calls.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    calls: u64,
    hits: u64,
    loads: u64,
    /// As the callers saw it.
    overloaded: u64,
    /// Most loads at once so far.
    most: usize,
}

impl Figures {
    /// 95 % hits, and no more loads than for the rest.
    fn is_healthy(self) -> bool {
        let fresh = self.calls / FRESH;
        self.hits == self.calls - fresh && self.loads + self.overloaded == fresh
    }

    fn of_1000(self, count: u64) -> u64 {
        count * 1_000 / self.calls
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "of 1000 calls {} hits, {} loads, {} turned away; {} loads at once at most",
            self.of_1000(self.hits),
            self.of_1000(self.loads),
            self.of_1000(self.overloaded),
            self.most,
        )
    }
}

/// Callers of one process.
struct Fleet {
    cache: Cache,
    origin: Origin,
}

impl Fleet {
    fn new(cache: Cache) -> Self {
        Self { cache, origin: Origin::default() }
    }

    /// Fills the entries that everybody reads.
    async fn warm(&self) {
        for id in 0..WARM {
            self.cache.put(&patient_key(&id), &id).await.expect("an answer");
            self.cache.put(&hasty_key(&id), &id).await.expect("an answer");
        }
    }

    /// One call after another by each caller.
    async fn round(&self, what: &str) -> Figures {
        let before = self.figures();
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS as u64 {
            callers.spawn(self.cache.scope(call_on(self.origin.clone(), caller)));
        }
        let mut overloaded = 0;
        while let Some(caller) = within_limit("a caller is served", callers.join_next()).await {
            overloaded += caller.expect("no panic");
        }
        let now = self.figures();
        let figures = Figures {
            calls: CALLERS as u64 * ROUND,
            hits: now.hits - before.hits,
            loads: now.loads - before.loads,
            overloaded,
            most: now.most,
        };
        println!("overload: {what}: {figures}");
        figures
    }

    /// So far.
    fn figures(&self) -> Figures {
        let stats = self.cache.stats();
        let functions = ["patient", "hasty"].into_iter().filter_map(|name| stats.function(name));
        Figures {
            hits: functions.map(cache_runtime::stats::FunctionStats::hits).sum(),
            loads: self.origin.0.begun.load(SeqCst),
            most: self.origin.0.most.load(SeqCst),
            ..Figures::default()
        }
    }
}

/// One caller; how often it was turned away.
async fn call_on(origin: Origin, caller: u64) -> u64 {
    let mut overloaded = 0;
    for call in 0..ROUND {
        sleep(PAUSE).await;
        let id = if call % FRESH == caller % FRESH {
            origin.fresh()
        } else {
            (caller * 389 + call * 7) % WARM
        };
        if caller.is_multiple_of(2) {
            assert_eq!(patient(&origin, id).await, id);
            continue;
        }
        match hasty(&origin, id).await {
            Ok(value) => assert_eq!(value, id),
            Err(TurnedAway(kind)) => {
                assert_eq!(kind, ErrorKind::Overloaded);
                overloaded += 1;
            }
        }
    }
    overloaded
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_origin_is_spared_while_redis_is_down_and_relieved_when_it_is_back() {
    let server = RedisServer::start().await;
    let cache = cache_fixtures::patient()
        .max_concurrent_loads(BOUND)
        .connect(&server.url())
        .expect("a URL");
    let fleet = Fleet::new(cache);
    fleet.warm().await;

    let before = fleet.round("before").await;
    assert!(before.is_healthy(), "{before}");

    server.kill();
    let during = fleet.round("down").await;
    // Every call would be a load: one function lets its callers wait, the other turns some away.
    assert_eq!(during.hits, 0, "{during}");
    assert!(during.loads > during.calls / 4, "{during}");
    assert!(during.overloaded > 0, "{during}");
    assert!(during.loads + during.overloaded <= during.calls, "{during}");

    // It comes back empty and in the middle of the traffic, so that all of it is to be loaded
    // again.
    tokio::join!(fleet.round("coming back"), server.restart(Data::Lost));
    eventually!(fleet.round("back").await.is_healthy());
    // And it stays so.
    for _ in 0..3 {
        let after = fleet.round("after").await;
        assert!(after.is_healthy(), "{after}");
    }
    assert!(fleet.figures().most <= BOUND, "{} loads at once", fleet.figures().most);

    let stats = fleet.cache.stats();
    assert_eq!(stats.function("patient").map(|patient| patient.outcomes.shed), Some(0));
}

/// What it would have been: the bound is what spares the origin, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_bound_the_origin_gets_it_all() {
    let server = RedisServer::start().await;
    let fleet = Fleet::new(cache_fixtures::patient().connect(&server.url()).expect("a URL"));
    fleet.warm().await;
    server.kill();
    let during = fleet.round("down, without a bound").await;
    assert!(during.most > 4 * BOUND, "{during}");
    assert_eq!(during.overloaded, 0, "{during}");
}
