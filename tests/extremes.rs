//! No setting and no value of an option panics, or keeps a cache from caching. What makes no sense
//! is refused where it is set; what is merely huge is as good as the longest that counts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Once};
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::{
    Cache, CacheBuilder, CallExt as _, ErrorKind, Key, cached, invalidates, write_behind,
    write_through,
};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

const MAX: Duration = Duration::MAX;
const MILLI: Duration = Duration::from_millis(1);

/// Values at which some arithmetic ends: of clocks, of Redis, of floating point, of integers.
const SPANS: &[Duration] = &[
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_micros(999),
    MILLI,
    Duration::from_secs(1),
    Duration::from_secs(30 * 365 * 86_400),
    Duration::from_secs(u32::MAX as u64),
    Duration::from_millis(i64::MAX as u64),
    Duration::from_millis(i64::MAX as u64 + 1),
    Duration::from_millis(u64::MAX),
    Duration::from_secs(i64::MAX as u64),
    Duration::from_secs(u64::MAX),
    MAX,
];
const SIZES: &[usize] =
    &[0, 1, 100, 1 << 20, u32::MAX as usize, isize::MAX as usize, usize::MAX - 1, usize::MAX];

/// Panics of all tasks and threads, also of those that nobody waits for.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, SeqCst);
            report(panic);
        }));
    });
}

fn nothing_panicked() {
    assert_eq!(PANICS.load(SeqCst), 0, "see above");
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    run: u64,
    ttl: Duration,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Failure {
    run: u64,
    ttl: Duration,
}

impl From<cache_runtime::Error> for Failure {
    fn from(error: cache_runtime::Error) -> Self {
        panic!("not asked for: {error}")
    }
}

/// The runs of all bodies, which tell them apart.
fn run() -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    RUNS.fetch_add(1, SeqCst)
}

#[cached(key = "plain:<id>", ttl = "1h", tags = ["plain"])]
async fn plain(id: u64) -> u64 {
    let _ = id;
    run()
}

#[invalidates(plain(id), hold_off = hold_off)]
async fn hold(id: u64, hold_off: Duration) {
    let _ = (id, hold_off);
}

#[invalidates(plain(id), tag = "plain")]
async fn write(id: u64) {
    let _ = id;
}

#[write_through(plain(id))]
async fn store(id: u64) -> u64 {
    let _ = id;
    run()
}

#[cached(key = "expr:<id>", ttl = *ttl, skip(ttl), tags = ["expr"])]
async fn by_expression(id: u64, ttl: Duration) -> u64 {
    let _ = (id, ttl);
    run()
}

#[cached(key = "closure:<id>", ttl = |row: &Row| row.ttl, skip(ttl), tags = ["closure"])]
async fn by_closure(id: u64, ttl: Duration) -> Row {
    let _ = id;
    Row { run: run(), ttl }
}

#[cached(key = "error:<id>", ttl = 1, error_ttl = |e: &Failure| Some(e.ttl), skip(ttl))]
async fn failing(id: u64, ttl: Duration) -> Result<u64, Failure> {
    let _ = id;
    Err(Failure { run: run(), ttl })
}

#[cached(key = "jitter:<id>", ttl = *ttl, jitter = 1.0, early = 1.7e308, skip(ttl))]
async fn jittered(id: u64, ttl: Duration) -> u64 {
    let _ = (id, ttl);
    run()
}

/// Every option that takes a constant, with one value.
macro_rules! every_option_with {
    ($name:ident, $span:expr, $early:literal) => {
        mod $name {
            use super::*;

            #[cached(
                key = "all:<id>",
                ttl = $span,
                none_ttl = $span,
                lock(wait = $span, lease = $span),
                budget = $span,
                max_concurrent_loads = 4_294_967_295,
                shed_after = $span,
                stale_while_revalidate = $span,
                stale_if_error = $span,
                load_timeout = $span,
                early = $early,
                version = 4_294_967_295,
                error_ttl = |_: &Failure| Some($span),
                jitter = 0.5,
                tags = ["all"]
            )]
            pub async fn all(id: u64) -> Result<Option<u64>, Failure> {
                match id {
                    0 => Ok(None),
                    9 => Err(Failure { run: run(), ttl: $span }),
                    _ => Ok(Some(run())),
                }
            }

            #[cached(key = "short:<id>", ttl = "1ms", stale_while_revalidate = $span, budget = $span)]
            pub async fn short(id: u64) -> u64 {
                let _ = id;
                run()
            }

            #[cached(batch(id in ids), key = "batch:<id>", ttl = $span, budget = $span)]
            pub async fn batch(ids: &[u64]) -> HashMap<u64, u64> {
                ids.iter().map(|id| (*id, run())).collect()
            }

            #[write_through(all(id) = Some(*result), invalidates(tag = "other"), hold_off = $span)]
            pub async fn put(id: u64) -> u64 {
                let _ = id;
                run()
            }

            #[write_behind(
                queue = "extremes",
                batch = 100_000,
                linger = "1ms",
                partitions = 256,
                max_len = 18_446_744_073_709_551_615,
                push_timeout = $span,
                max_attempts = 4_294_967_295,
                lease = $span
            )]
            pub async fn sink(got: &Arc<AtomicU64>, items: Vec<u64>) -> Result<(), String> {
                got.fetch_add(u64::try_from(items.len()).unwrap(), SeqCst);
                Ok(())
            }

            /// Calls all of them, at rest and at once.
            pub async fn exercise(cache: &Cache) {
                for id in [0, 1, 9] {
                    for _ in 0..3 {
                        let (one, other) = tokio::join!(all(id), all(id));
                        assert_eq!((one.is_err(), other.is_err()), (id == 9, id == 9));
                        _ = all(id).refresh().await;
                        short(id).await;
                    }
                    cache.get(&all_key(&id)).await.ok();
                    cache.put(&all_key(&(id + 10)), &Some(1)).await.ok();
                }
                assert_eq!(batch(&[1, 2, 3]).await.len(), 3);
                assert_eq!(batch(&[2, 3, 4]).await.len(), 3);
                put(1).await;
            }
        }
    };
}

every_option_with!(longest, MAX, 1.7e308);
every_option_with!(of_millis, Duration::from_millis(u64::MAX), 1.0);
every_option_with!(shortest, MILLI, 5e-324);

/// Where the entries are.
struct Place {
    runtime: Runtime,
    server: Option<RedisServer>,
}

impl Place {
    fn both() -> [Self; 2] {
        count_panics();
        [false, true].map(|remote| {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = runtime.unwrap();
            let server = remote.then(|| runtime.block_on(RedisServer::start()));
            Self { runtime, server }
        })
    }

    /// In a namespace that no other test uses.
    fn connect(&self, builder: CacheBuilder) -> Result<Cache, cache_runtime::Error> {
        let url = self.server.as_ref().map_or_else(|| "memory:".to_owned(), RedisServer::url);
        builder.namespace(format!("n{}", run())).connect(&url)
    }

    fn patient(&self) -> Cache {
        self.connect(patient()).unwrap()
    }

    /// Runs calls in the scope of a cache, which must end.
    fn run<T>(&self, cache: &Cache, calls: impl Future<Output = T>) -> T {
        let calls = within_limit("the calls end", cache.scope(calls));
        let result = self.runtime.block_on(calls);
        nothing_panicked();
        result
    }
}

/// Everything that can be done with a cache.
async fn exercise(cache: &Cache, span: Duration) {
    for id in 0..2 {
        plain(id).await;
        plain(id).refresh().await;
        tokio::join!(plain(id), plain(id));
        store(id).await;
        plain(id).await;
        write(id).await;
        let nested = async {
            write(id).await;
            hold(id, span).await;
        };
        cache.after_commit(nested).await;
        cache.get(&plain_key(&id)).await.ok();
        cache.put(&plain_key(&id).ttl(span), &1).await.ok();
        cache.invalidate(&plain_key(&id)).await.ok();
        jittered(id, span).await;
    }
    cache.invalidate_tag("plain").await.ok();
    cache.flush(span).await.ok();
    cache.clear().await.ok();
}

/// `None`: the default.
#[derive(Clone, Debug)]
struct Given {
    budget: Option<Duration>,
    wait: Option<Duration>,
    lease: Option<Duration>,
    fence: Option<Duration>,
    shutdown_limit: Option<Duration>,
    max_value_bytes: Option<usize>,
    capacity: Option<usize>,
    max_in_flight: Option<usize>,
    max_concurrent_loads: Option<usize>,
    max_background_refreshes: Option<usize>,
}

prop_compose! {
    fn given()(
        spans in proptest::array::uniform5(proptest::option::of(select(SPANS))),
        sizes in proptest::array::uniform5(proptest::option::of(select(SIZES))),
    ) -> Given {
        let [budget, wait, lease, fence, shutdown_limit] = spans;
        let [max_value_bytes, capacity, max_in_flight, max_concurrent_loads, max_background_refreshes] =
            sizes;
        Given {
            budget, wait, lease, fence, shutdown_limit, max_value_bytes, capacity, max_in_flight,
            max_concurrent_loads, max_background_refreshes,
        }
    }
}

fn with<T>(
    builder: CacheBuilder,
    value: Option<T>,
    set: fn(CacheBuilder, T) -> CacheBuilder,
) -> CacheBuilder {
    match value {
        Some(value) => set(builder, value),
        None => builder,
    }
}

impl Given {
    fn builder(&self) -> CacheBuilder {
        let mut builder = with(patient(), self.budget, CacheBuilder::budget);
        builder = with(builder, self.wait, CacheBuilder::wait);
        builder = with(builder, self.lease, CacheBuilder::lease);
        builder = with(builder, self.fence, CacheBuilder::fence);
        builder = with(builder, self.shutdown_limit, CacheBuilder::shutdown_limit);
        builder = with(builder, self.max_value_bytes, CacheBuilder::max_value_bytes);
        builder = with(builder, self.capacity, CacheBuilder::capacity);
        builder = with(builder, self.max_in_flight, CacheBuilder::max_in_flight);
        builder = with(builder, self.max_concurrent_loads, CacheBuilder::max_concurrent_loads);
        with(builder, self.max_background_refreshes, CacheBuilder::max_background_refreshes)
    }

    /// The settings with which nothing could be cached.
    fn senseless(&self) -> Vec<&'static str> {
        let is_short = |span: Option<Duration>| span.is_some_and(|span| span < MILLI);
        let is_small = |size: Option<usize>, least| size.is_some_and(|size| size < least);
        let settings = [
            ("budget", is_short(self.budget)),
            ("lease", is_short(self.lease)),
            ("fence", is_short(self.fence)),
            ("max_value_bytes", is_small(self.max_value_bytes, 1)),
            ("capacity", is_small(self.capacity, 16 << 10)),
            ("max_in_flight", is_small(self.max_in_flight, 1)),
            ("max_concurrent_loads", is_small(self.max_concurrent_loads, 1)),
        ];
        settings.iter().filter(|(_, senseless)| *senseless).map(|(name, _)| *name).collect()
    }

    /// Whether a machine that is busy can keep up with it, and a value fits.
    fn is_easy(&self) -> bool {
        let is_long =
            |span: Option<Duration>| span.is_none_or(|span| span > Duration::from_secs(1));
        is_long(self.budget)
            && is_long(self.lease)
            && self.max_value_bytes.is_none_or(|most| most >= 100)
    }
}

fn check_settings(place: &Place, given: &Given, span: Duration) -> Result<(), TestCaseError> {
    // The embedded store starts its clock at once, as everything of tokio's in a runtime.
    let _guard = place.runtime.enter();
    let senseless = given.senseless();
    let cache = match place.connect(given.builder()) {
        Ok(cache) => cache,
        Err(error) => {
            prop_assert_eq!(error.kind(), ErrorKind::Config);
            let message = error.to_string();
            let named = senseless.iter().any(|name| message.contains(name));
            prop_assert!(named, "{} is about none of {:?}", message, senseless);
            return Ok(());
        }
    };
    prop_assert_eq!(senseless, Vec::<&str>::new());
    place.run(&cache, exercise(&cache, span));
    if given.is_easy() {
        place.run(&cache, async {
            eventually!(plain(7).await == plain(7).await);
            let stored = store(7).await;
            eventually!(plain(7).await == plain(7).await);
            write(7).await;
            assert_ne!(plain(7).await, stored);
            eventually!(plain(7).await == plain(7).await);
        });
    }
    place.run(&cache, async { cache.shutdown().await.ok() });
    Ok(())
}

#[test]
fn every_setting_is_refused_or_works() {
    for place in Place::both() {
        let cases = if place.server.is_some() { 48 } else { 256 };
        let config =
            ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(given in given(), span in select(SPANS))| {
            check_settings(&place, &given, span)?;
        });
    }
}

/// Each by itself, so that none hides behind another's refusal.
#[test]
fn every_single_setting_is_refused_or_works() {
    let none = Given {
        budget: None,
        wait: None,
        lease: None,
        fence: None,
        shutdown_limit: None,
        max_value_bytes: None,
        capacity: None,
        max_in_flight: None,
        max_concurrent_loads: None,
        max_background_refreshes: None,
    };
    for place in Place::both() {
        for span in SPANS.iter().copied() {
            let some = Some(span);
            for given in [
                Given { budget: some, ..none.clone() },
                Given { wait: some, ..none.clone() },
                Given { lease: some, ..none.clone() },
                Given { fence: some, ..none.clone() },
                Given { shutdown_limit: some, ..none.clone() },
            ] {
                check_settings(&place, &given, span).unwrap();
            }
        }
        for size in SIZES.iter().copied() {
            let some = Some(size);
            for given in [
                Given { max_value_bytes: some, ..none.clone() },
                Given { capacity: some, ..none.clone() },
                Given { max_in_flight: some, ..none.clone() },
                Given { max_concurrent_loads: some, ..none.clone() },
                Given { max_background_refreshes: some, ..none.clone() },
            ] {
                check_settings(&place, &given, MAX).unwrap();
            }
        }
    }
}

/// The values that only a call knows: expressions over the parameters, closures over the result,
/// keys made by hand.
async fn check_values(cache: &Cache, span: Duration) {
    // What is not to be served for a millisecond is not stored; what ends within the test may be
    // either.
    let stored = match span {
        _ if span < MILLI => Some(false),
        _ if span <= Duration::from_secs(1) => None,
        _ => Some(true),
    };
    let expect = |what: &str, same: bool| {
        assert!(stored.is_none_or(|stored| stored == same), "{what} of {span:?}: {same}");
    };
    expect("expression", by_expression(1, span).await == by_expression(1, span).await);
    expect("closure", by_closure(1, span).await == by_closure(1, span).await);
    expect("error", failing(1, span).await == failing(1, span).await);
    jittered(1, span).await;
    jittered(1, span).await;

    let key = Key::<u64>::builder().text("hand").done().ttl(span).tag("hand");
    cache.put(&key, &1).await.unwrap();
    expect("hand", cache.get(&key).await.unwrap().is_some());
    cache.flush(span).await.unwrap();

    let first = plain(1).await;
    hold(1, span).await;
    assert_ne!(plain(1).await, first);
    if span.is_zero() {
        assert_eq!(plain(1).await, plain(1).await);
    } else if span > Duration::from_secs(1) {
        assert_ne!(plain(1).await, plain(1).await, "held off for {span:?}");
    }
}

#[test]
fn every_value_of_an_option_works() {
    for place in Place::both() {
        for span in SPANS.iter().copied() {
            let _guard = place.runtime.enter();
            let cache = place.patient();
            place.run(&cache, check_values(&cache, span));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Anything between.
    #[test]
    fn any_value_of_an_option_works(seconds in any::<u64>(), nanos in 0..1_000_000_000_u32) {
        count_panics();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let cache = Cache::in_memory();
            cache.scope(check_values(&cache, Duration::new(seconds, nanos))).await;
        });
        nothing_panicked();
    }
}

#[test]
fn every_constant_of_an_option_works() {
    for place in Place::both() {
        let _guard = place.runtime.enter();
        let cache = place.patient();
        place.run(&cache, async {
            longest::exercise(&cache).await;
            assert_eq!(longest::all(2).await, longest::all(2).await);
            assert_eq!(longest::batch(&[1]).await, longest::batch(&[1]).await);
            assert_eq!(longest::all(0).await, Ok(None));
        });
        let cache = place.patient();
        place.run(&cache, async {
            of_millis::exercise(&cache).await;
            assert_eq!(of_millis::all(2).await, of_millis::all(2).await);
        });
        let cache = place.patient();
        place.run(&cache, shortest::exercise(&cache));
    }
}

macro_rules! delivers {
    ($place:expr, $name:ident) => {{
        let cache = $place.patient();
        let (got, stop) = (Arc::<AtomicU64>::default(), tokio::sync::Notify::new());
        $place.run(&cache, async {
            let worker = $name::sink_worker(&got);
            let pushes = async {
                for item in 0..100 {
                    $name::sink_queue().push(item).await.unwrap();
                }
                eventually!(got.load(SeqCst) >= 100);
                stop.notify_one();
            };
            tokio::join!(worker.run(stop.notified()), pushes);
        });
    }};
}

#[test]
fn a_queue_with_extreme_options_delivers() {
    for place in Place::both() {
        let _guard = place.runtime.enter();
        delivers!(place, longest);
        delivers!(place, of_millis);
    }
}
