//! Bounds on concurrent loads, and on waiting for a place among them.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::stats::FunctionStats;
use cache_runtime::{Cache, CallExt as _, ErrorKind, cached};
use cache_testing::barrier::{Counter, Gate, eventually};
use cache_testing::within_limit;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Knows how many loads run at once, and holds them at a gate.
#[derive(Clone, Debug, Default)]
struct Origin(Arc<State>);

#[derive(Debug, Default)]
struct State {
    gate: Gate,
    running: AtomicUsize,
    most: AtomicUsize,
    order: Mutex<Vec<u64>>,
}

/// A load that runs.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Origin {
    fn enter(&self, id: u64) -> Running<'_> {
        self.0.most.fetch_max(self.0.running.fetch_add(1, SeqCst) + 1, SeqCst);
        self.0.order.lock().unwrap().push(id);
        Running(&self.0.running)
    }

    async fn load(&self, id: u64) -> u64 {
        let _running = self.enter(id);
        self.0.gate.pass().await;
        id
    }

    fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// The most loads that ever ran at once.
    fn most(&self) -> usize {
        self.0.most.load(SeqCst)
    }

    /// What was loaded, in order.
    fn order(&self) -> Vec<u64> {
        self.0.order.lock().unwrap().clone()
    }
}

#[cached(key = "bounded:<id>", ttl = 60, max_concurrent_loads = 3, skip(origin))]
async fn bounded(origin: &Origin, id: u64) -> u64 {
    origin.load(id).await
}

#[cached(key = "single:<id>", ttl = 60, max_concurrent_loads = 1, skip(origin))]
async fn single(origin: &Origin, id: u64) -> u64 {
    origin.load(id).await
}

#[cached(key = "free:<id>", ttl = 60, skip(origin))]
async fn free(origin: &Origin, id: u64) -> u64 {
    origin.load(id).await
}

/// The origin's own error, or a call that was turned away.
#[derive(Debug)]
struct Failure(ErrorKind);

impl From<cache_runtime::Error> for Failure {
    fn from(error: cache_runtime::Error) -> Self {
        Self(error.kind())
    }
}

#[cached(key = "hasty:<id>", ttl = 60, max_concurrent_loads = 1, shed_after = "1s", skip(origin))]
async fn hasty(origin: &Origin, id: u64) -> Result<u64, Failure> {
    Ok(origin.load(id).await)
}

const PATIENCE: Duration = Duration::from_millis(1_500);

#[cached(key = "hasty-free:<id>", ttl = 60, shed_after = PATIENCE, skip(origin))]
async fn hasty_free(origin: &Origin, id: u64) -> Result<u64, Failure> {
    Ok(origin.load(id).await)
}

/// A cache whose functions together run at most so many bodies at once.
fn with_places(places: usize) -> Cache {
    Cache::builder().max_concurrent_loads(places).in_memory().unwrap()
}

/// The call of a function in a task of its own.
macro_rules! call {
    ($cache:expr, $function:ident($origin:expr, $id:expr)) => {{
        let (origin, id) = ($origin.clone(), $id);
        tokio::spawn($cache.scope(async move { $function(&origin, id).await }))
    }};
}

async fn result<T>(call: JoinHandle<T>) -> T {
    within_limit("the call returns", call).await.unwrap()
}

fn stats(cache: &Cache, function: &str) -> FunctionStats {
    cache.stats().function(function).cloned().unwrap_or_default()
}

/// A call counts as a miss before it stands in line.
async fn in_line(cache: &Cache, function: &str, misses: u64) {
    eventually!(stats(cache, function).misses() == misses);
}

#[tokio::test]
async fn a_function_stays_within_its_bound() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let calls: Vec<_> = (0..20).map(|id| call!(cache, bounded(origin, id))).collect();
    in_line(&cache, "bounded", 20).await;
    for ended in 0..=17 {
        origin.gate().entered(ended + 3).await;
        assert_eq!(origin.gate().inside(), 3);
        origin.gate().release(1);
    }
    origin.gate().open();
    for (id, call) in (0..).zip(calls) {
        assert_eq!(result(call).await, id);
    }
    assert_eq!(origin.most(), 3);
    // First come, first served.
    assert_eq!(origin.order(), (0..20).collect::<Vec<_>>());
    assert_eq!(stats(&cache, "bounded").outcomes.shed, 0);
}

/// As many threads as there may be, and nothing that slows them down.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_function_stays_within_its_bound_at_full_speed() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    origin.gate().open();
    let calls: Vec<_> = (0..2_000).map(|id| call!(cache, bounded(origin, id))).collect();
    for (id, call) in (0..).zip(calls) {
        assert_eq!(result(call).await, id);
    }
    assert!(origin.most() <= 3, "{} at once", origin.most());
}

/// Also for calls past the cache and for those that refresh: what is bounded is what the origin
/// gets.
#[tokio::test]
async fn no_kind_of_call_goes_past_the_bound() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let calls: Vec<_> = (0..10_u64)
        .map(|id| {
            let origin = origin.clone();
            tokio::spawn(cache.scope(async move {
                if id.is_multiple_of(2) {
                    bounded(&origin, id).bypass().await
                } else {
                    bounded(&origin, id).refresh().await
                }
            }))
        })
        .collect();
    origin.gate().entered(3).await;
    origin.gate().open();
    for (id, call) in (0..).zip(calls) {
        assert_eq!(result(call).await, id);
    }
    assert_eq!(origin.most(), 3);
}

#[tokio::test]
async fn all_functions_stay_within_the_bound_of_the_cache() {
    let (cache, origin) = (with_places(2), Origin::default());
    let calls: Vec<_> = (0..10)
        .flat_map(|id| [call!(cache, free(origin, id)), call!(cache, bounded(origin, id))])
        .collect();
    in_line(&cache, "free", 10).await;
    in_line(&cache, "bounded", 10).await;
    for ended in 0..=18 {
        origin.gate().entered(ended + 2).await;
        assert_eq!(origin.gate().inside(), 2);
        origin.gate().release(1);
    }
    origin.gate().open();
    for call in calls {
        result(call).await;
    }
    assert_eq!(origin.most(), 2);
}

/// A hit needs no place.
#[tokio::test]
async fn hits_do_not_stand_in_line() {
    let (cache, origin) = (with_places(1), Origin::default());
    origin.gate().release(1);
    assert_eq!(cache.scope(single(&origin, 1)).await, 1);
    let held = call!(cache, single(origin, 2));
    origin.gate().entered(2).await;
    assert_eq!(result(call!(cache, single(origin, 1))).await, 1);
    origin.gate().open();
    assert_eq!(result(held).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_turned_away_in_time() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let held = call!(cache, hasty(origin, 1));
    origin.gate().entered(1).await;
    let begun = Instant::now();
    let refused = cache.scope(hasty(&origin, 2)).await.unwrap_err();
    assert_eq!((refused.0, begun.elapsed().as_secs()), (ErrorKind::Overloaded, 1));
    assert_eq!((stats(&cache, "hasty").outcomes.shed, origin.order()), (1, vec![1]));
    // Nothing is left of it: neither a value, nor a lease in the way of the next.
    origin.gate().open();
    assert_eq!(result(held).await.unwrap(), 1);
    assert_eq!(cache.scope(hasty(&origin, 2)).await.unwrap(), 2);
    let stats = stats(&cache, "hasty");
    assert_eq!(
        (stats.outcomes.shed, stats.loads_ok, stats.loads_failed, stats.fills_stored),
        (1, 2, 0, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_turned_away_from_the_line_of_the_cache() {
    let (cache, origin) = (with_places(1), Origin::default());
    let held = call!(cache, free(origin, 1));
    origin.gate().entered(1).await;
    let begun = Instant::now();
    let refused = cache.scope(hasty_free(&origin, 2)).await.unwrap_err();
    assert_eq!((refused.0, begun.elapsed().as_millis()), (ErrorKind::Overloaded, 1_500));
    origin.gate().open();
    assert_eq!(result(held).await, 1);
    assert_eq!(cache.scope(hasty_free(&origin, 2)).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_whose_turn_comes_in_time_is_served() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let held = call!(cache, hasty(origin, 1));
    origin.gate().entered(1).await;
    let waiting = call!(cache, hasty(origin, 2));
    in_line(&cache, "hasty", 2).await;
    tokio::time::advance(Duration::from_millis(900)).await;
    origin.gate().release(1);
    assert_eq!(result(held).await.unwrap(), 1);
    origin.gate().entered(2).await;
    // Its own load takes as long as it takes.
    tokio::time::advance(Duration::from_secs(10)).await;
    origin.gate().open();
    assert_eq!(result(waiting).await.unwrap(), 2);
    assert_eq!(stats(&cache, "hasty").outcomes.shed, 0);
}

/// Without `shed_after` a call has nothing to return but the body's result.
#[tokio::test(start_paused = true)]
async fn without_a_limit_a_caller_waits() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let held = call!(cache, single(origin, 1));
    origin.gate().entered(1).await;
    let waiting = call!(cache, single(origin, 2));
    in_line(&cache, "single", 2).await;
    tokio::time::sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert!(!waiting.is_finished());
    origin.gate().open();
    assert_eq!((result(held).await, result(waiting).await), (1, 2));
}

#[cached(key = "sum:<n>", ttl = 60, max_concurrent_loads = 1)]
async fn sum(n: u64) -> u64 {
    if n == 0 { 0 } else { n + Box::pin(sum(n - 1)).await }
}

#[cached(key = "outer:<id>", ttl = 60, max_concurrent_loads = 1, skip(origin))]
async fn outer(origin: &Origin, id: u64) -> u64 {
    // Both at once, and both in the outer one's place.
    let (one, other) = tokio::join!(single(origin, 2 * id), single(origin, 2 * id + 1));
    one + other
}

/// A load waits for no place while it has one.
#[tokio::test]
async fn a_load_inside_a_load_does_not_wait_for_it() {
    let (cache, origin) = (with_places(1), Origin::default());
    assert_eq!(within_limit("recursion ends", cache.scope(sum(5))).await, 15);
    assert_eq!(stats(&cache, "sum").loads_ok, 6);
    origin.gate().open();
    let calls: Vec<_> = (0..10).map(|id| call!(cache, outer(origin, id))).collect();
    for (id, call) in (0..).zip(calls) {
        assert_eq!(result(call).await, 4 * id + 1);
    }
}

#[cached(key = "page:<id>", ttl = 60, skip(origin))]
async fn page(origin: &Origin, id: u64) -> u64 {
    bounded(origin, id).await
}

/// A load that has no place of its own is no way around the bound of another function.
#[tokio::test]
async fn a_load_inside_an_unbounded_load_stands_in_line() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let calls: Vec<_> = (0..10).map(|id| call!(cache, page(origin, id))).collect();
    in_line(&cache, "bounded", 10).await;
    origin.gate().open();
    for (id, call) in (0..).zip(calls) {
        assert_eq!(result(call).await, id);
    }
    assert_eq!(origin.most(), 3);
}

#[cached(key = "broken:<id>", ttl = 60, max_concurrent_loads = 1, skip(runs))]
async fn broken(runs: &Counter, id: u64) -> u64 {
    assert!(runs.count() > 1, "the first run of {id} panics");
    id
}

/// Whoever leaves, leaves their place.
#[tokio::test]
async fn places_are_given_back() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    let held = call!(cache, single(origin, 1));
    origin.gate().entered(1).await;
    // From the line.
    let dropped = call!(cache, single(origin, 2));
    in_line(&cache, "single", 2).await;
    let last = call!(cache, single(origin, 3));
    in_line(&cache, "single", 3).await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    // From the middle of a load.
    held.abort();
    assert!(held.await.unwrap_err().is_cancelled());
    origin.gate().entered(2).await;
    origin.gate().open();
    assert_eq!((result(last).await, origin.order()), (3, vec![1, 3]));
    // By a panic.
    let runs = Counter::new();
    assert!(call!(cache, broken(runs, 1)).await.unwrap_err().is_panic());
    assert_eq!(result(call!(cache, broken(runs, 1))).await, 1);
}
