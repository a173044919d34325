//! Loads that fail under many callers.
//!
//! On the embedded store with tokio's clock paused: it stands still while anybody has something to
//! do, and otherwise jumps to the next timer. So the time that has passed is a whole number of
//! loads, on any machine.

use std::time::Duration;

use cache_fixtures::origin::call;
use cache_fixtures::stats;
use cache_fixtures::stores::OnStore as _;
use cache_runtime::{Cache, CallExt as _, cached};
use cache_testing::barrier::{Counter, Gate};
use serde::{Deserialize, Serialize, Serializer};
use tokio::time::Instant;

use crate::stampede::fixture::{Fixture, results, start};

const LOAD: Duration = Duration::from_millis(50);

/// An error that all waiters can have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shared(usize);

/// An error that nobody can copy, as most errors of databases are.
#[derive(Debug, PartialEq, Eq)]
struct Owned(usize);

#[derive(Clone, Debug, Default)]
struct Origin {
    runs: Counter,
    /// How many runs fail; all if none is said.
    failures: Option<usize>,
    /// Holds the first run.
    first: Option<Gate>,
}

impl Origin {
    /// The number of the run, as a value or as an error.
    async fn load(&self) -> Result<usize, usize> {
        let run = self.runs.count();
        if let Some(first) = self.first.as_ref().filter(|_| run == 1) {
            first.pass().await;
        }
        tokio::time::sleep(LOAD).await;
        if self.failures.is_none_or(|failures| run <= failures) { Err(run) } else { Ok(run) }
    }
}

#[cached(key = "shared", ttl = 3600, lock, skip(origin))]
async fn shared(origin: &Origin) -> Result<usize, Shared> {
    origin.load().await.map_err(Shared)
}

#[cached(key = "owned", ttl = 3600, lock, skip(origin))]
async fn owned(origin: &Origin) -> Result<usize, Owned> {
    origin.load().await.map_err(Owned)
}

#[cached(key = "panics", ttl = 3600, lock, skip(origin))]
async fn panics(origin: &Origin) -> usize {
    origin.load().await.expect("a run that succeeds")
}

/// Waiters that joined before a load began share its error.
#[tokio::test(start_paused = true)]
async fn an_error_is_shared_where_it_can_be() {
    let fixture = Fixture::embedded();
    let gate = Gate::new();
    let origin = Origin { first: Some(gate.clone()), ..Origin::default() };
    let leader = fixture.start(1, call!(shared, origin)).remove(0);
    gate.entered(1).await;
    let callers = fixture.start(100, call!(shared, origin));
    // They have all joined: each runs until it waits before anybody runs again.
    tokio::task::yield_now().await;
    assert_eq!(origin.runs.get(), 1);

    let began = Instant::now();
    leader.abort();
    let errors = results(callers).await;
    assert_eq!(began.elapsed(), LOAD);
    assert_eq!(errors, vec![Err(Shared(2)); 100]);
    assert_eq!(origin.runs.get(), 2, "the dropped one, and one for a hundred");
    assert_eq!(stats(&fixture.cache, "shared").outcomes.coalesced, 99);
}

/// Those who came after the load had begun may not have its error, but that of the next.
#[tokio::test(start_paused = true)]
async fn late_callers_share_the_next_error() {
    let fixture = Fixture::embedded();
    let origin = Origin::default();
    let began = Instant::now();
    let errors = results(fixture.start(101, call!(shared, origin))).await;
    assert_eq!(began.elapsed(), 2 * LOAD);
    assert!(errors.iter().all(Result::is_err));
    assert!(origin.runs.get() <= 3, "{}", origin.runs.get());
}

/// 1 + 2 + 4 + 8 + 16 and five times 16 at most: ten loads' time, and each caller has an error of
/// its own.
#[tokio::test(start_paused = true)]
async fn waiters_of_failing_loads_are_released_in_small_groups() {
    let fixture = Fixture::embedded();
    let origin = Origin::default();
    let began = Instant::now();
    let mut errors = results(fixture.start(101, call!(owned, origin))).await;
    assert_eq!(began.elapsed(), 10 * LOAD);
    errors.sort_by_key(|error| error.as_ref().map_err(|Owned(run)| *run).copied());
    assert_eq!(errors, (1..=101).map(|run| Err(Owned(run))).collect::<Vec<_>>());
}

/// 1 + 2 + 4 + 8 + 16 and so on: 200 callers in 16 loads' time, and not in 200.
#[tokio::test(start_paused = true)]
async fn waiters_of_loads_that_panic_do_not_follow_one_by_one() {
    let fixture = Fixture::embedded();
    let origin = Origin::default();
    let began = Instant::now();
    for caller in fixture.start(200, call!(panics, origin)) {
        assert!(caller.await.unwrap_err().is_panic());
    }
    assert_eq!(began.elapsed(), 16 * LOAD);
    assert_eq!(origin.runs.get(), 200);
}

/// A load that succeeds meanwhile serves the rest.
#[tokio::test(start_paused = true)]
async fn the_first_success_serves_the_rest() {
    let fixture = Fixture::embedded();
    let origin = Origin { failures: Some(3), ..Origin::default() };
    let began = Instant::now();
    let mut answers = results(fixture.start(101, call!(owned, origin))).await;
    assert_eq!(began.elapsed(), 3 * LOAD);
    answers.retain(Result::is_ok);
    assert_eq!(answers.len(), 98);
    assert_eq!(origin.runs.get(), 7, "one, two, and the group of four that succeeds");
    assert!(fixture.cache.get(&owned_key()).await.unwrap().is_some(), "and it is stored");
}

/// After a failure nothing is left behind: the next caller loads, alone and at once.
#[tokio::test(start_paused = true)]
async fn a_failure_leaves_nothing_behind() {
    let fixture = Fixture::embedded();
    let origin = Origin { failures: Some(10), ..Origin::default() };
    results(fixture.start(10, call!(owned, origin))).await;
    let began = Instant::now();
    let values = results(fixture.start(10, call!(owned, origin))).await;
    assert_eq!(values.into_iter().collect::<Result<Vec<_>, _>>(), Ok(vec![11; 10]));
    assert_eq!(began.elapsed(), LOAD);
    assert_eq!(origin.runs.get(), 11);
}

/// Each waits for as long as it says, and runs the body then.
#[tokio::test(start_paused = true)]
async fn a_caller_waits_no_longer_than_it_says() {
    #[cached(key = "held", ttl = 3600, lock(wait = "2s", lease = "1h"), skip(origin))]
    async fn held(origin: &Origin) -> Result<usize, Owned> {
        origin.load().await.map_err(Owned)
    }
    let fixture = Fixture::embedded();
    let gate = Gate::new();
    let origin = Origin { failures: Some(0), first: Some(gate.clone()), ..Origin::default() };
    let leader = fixture.start(1, call!(held, origin));
    gate.entered(1).await;
    let began = Instant::now();
    let values = results(fixture.start(10, call!(held, origin))).await;
    assert_eq!(began.elapsed(), Duration::from_secs(2) + LOAD);
    assert!(values.iter().all(Result::is_ok));
    assert_eq!(origin.runs.get(), 11);
    gate.open();
    assert_eq!(results(leader).await, [Ok(1)]);
    assert_eq!(stats(&fixture.cache, "held").uncached.impatient, 10);
}

/// Does not encode.
#[derive(Debug, Deserialize)]
struct Stubborn(usize);

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!("run {} does not encode", self.0)))
    }
}

#[cached(key = "stubborn", ttl = 3600, lock, skip(origin))]
async fn stubborn(origin: &Origin) -> Stubborn {
    Stubborn(origin.load().await.unwrap_or_else(|run| run))
}

#[cached(key = "large", ttl = 3600, lock, skip(origin))]
async fn large(origin: &Origin) -> String {
    format!("{:100}", origin.load().await.unwrap_or_else(|run| run))
}

/// Waiters that cannot have a share of what was loaded are not served one after the other, but in
/// groups of 16 at most.
#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_shared_holds_nobody_up() {
    let began = Instant::now();
    let origin = Origin::default();
    results(Fixture::embedded().start(101, call!(stubborn, origin))).await;
    assert!(began.elapsed() <= 10 * LOAD, "{:?}", began.elapsed());

    let began = Instant::now();
    let cache = Cache::builder().max_value_bytes(50).in_memory().unwrap();
    results(start(&cache, 101, call!(large, origin))).await;
    assert!(began.elapsed() <= 10 * LOAD, "{:?}", began.elapsed());
    assert_eq!(cache.get(&large_key()).await.unwrap(), None);
}

/// A refresh that fails takes nothing away from anybody.
#[tokio::test(start_paused = true)]
async fn a_failed_refresh_leaves_the_value() {
    let fixture = Fixture::embedded();
    fixture.cache.put(&owned_key(), &7).await.unwrap();
    let origin = Origin::default();
    let call = || {
        let origin = origin.clone();
        async move { owned(&origin).refresh().await }
    };
    assert_eq!(results(fixture.start(1, call)).await, [Err(Owned(1))]);
    assert_eq!(results(fixture.start(1, call!(owned, origin))).await, [Ok(7)]);
}
