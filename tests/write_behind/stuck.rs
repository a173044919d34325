//! Sinks that keep their thread until somebody lets them go, which may be never.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::OnStore as _;
use cache_runtime::__private::{self, QueueSite};
use cache_runtime::stats::QueueLength;
use cache_runtime::{Batch, Cache, CacheBuilder, Worker};
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::proxy::Proxy;
use tokio::runtime::Builder;

use crate::fixture::{Fixture, Ledger, Running, Step, queue, step, worker};

/// Keeps the threads of all who come until it falls. It falls with this value, as no runtime ends
/// before its threads do.
#[derive(Debug, Default)]
struct Wall(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    came: usize,
    has_fallen: bool,
}

/// What a sink has of it.
#[derive(Clone, Debug)]
struct Way(Arc<(Mutex<State>, Condvar)>);

impl Wall {
    fn way(&self) -> Way {
        Way(Arc::clone(&self.0))
    }

    /// Waits until so many have come.
    async fn is_reached_by(&self, count: usize) {
        eventually!(lock(&self.0.0).came >= count);
    }

    fn fall(&self) {
        lock(&self.0.0).has_fallen = true;
        self.0.1.notify_all();
    }
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.fall();
    }
}

impl Way {
    fn pass(&self) {
        let (state, fallen) = &*self.0;
        let mut state = lock(state);
        state.came += 1;
        while !state.has_fallen {
            state = fallen.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker whose sink does not get past the wall, and whose thread stands still for some time more
/// after that.
fn stuck(site: &'static QueueSite, cache: &Cache, wall: &Wall, ledger: &Ledger) -> Worker {
    stuck_for(Duration::ZERO, site, cache, wall, ledger)
}

fn stuck_for(
    more: Duration,
    site: &'static QueueSite,
    cache: &Cache,
    wall: &Wall,
    ledger: &Ledger,
) -> Worker {
    type Environment = (Way, Duration, Ledger);
    let sink = |(way, more, ledger): Environment, batch: Batch<Step>| async move {
        way.pass();
        thread::sleep(more);
        ledger.take(batch).await
    };
    __private::worker(queue(site, cache), (wall.way(), more, ledger.clone()), sink)
}

/// A cache over the fixture's store with other settings.
fn cache_of(fixture: &Fixture, settings: CacheBuilder) -> Cache {
    match fixture.store.remote() {
        Some((server, _)) => settings.connect(&server.url()).unwrap(),
        None => settings.in_memory().unwrap(),
    }
}

const fn site(name: &'static str) -> QueueSite {
    QueueSite::new("stuck", name).partitions(1).batch(1).linger_ms(0).lease_ms(1_000).keep_all()
}

/// Three times the lease: for so long nobody renews it if nobody can.
const LONG: Duration = Duration::from_secs(3);

static FOREVER: QueueSite = site("stuck-for-ever");

async fn a_worker_ends_although_its_sink_blocks_for_ever(fixture: Fixture) {
    log::capture();
    let cache = cache_of(&fixture, patient().shutdown_limit(Duration::from_millis(100)));
    let (wall, items) = (Wall::default(), queue(&FOREVER, &cache));
    // With threads of its own: in memory there is no lease, so nobody sees to it that the timers of
    // this runtime go on.
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let running = {
        let _entered = runtime.enter();
        Running::start(stuck(&FOREVER, &cache, &wall, &Ledger::default()))
    };
    items.push(step(0, 0)).await.unwrap();
    wall.is_reached_by(1).await;
    running.stop().await;
    runtime.shutdown_background();
    let says = |text| {
        let told = log::warnings(None);
        assert!(
            told.iter().any(|line| line.contains("stuck-for-ever") && line.contains(text)),
            "no {text:?} in {told:#?}"
        );
    };
    if !fixture.store.is_shared() {
        says("The sink has had 1 items");
        says("1 items are left in memory");
        return;
    }
    says("The sink has had 1 items, which are delivered again");
    // While the thread is still kept: its process may never end.
    let (other, ledger) = (fixture.another_cache(), Ledger::default());
    let running = Running::start(worker(&FOREVER, &other, &ledger));
    eventually!(ledger.of(0) == [0]);
    running.stop().await;
}

static DROPPED: QueueSite = site("stuck-and-dropped");

/// As when the task that runs the worker is aborted.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_worker_that_is_dropped_while_its_sink_blocks_keeps_nothing() {
    let fixture = Fixture::redis().await;
    let (wall, items) = (Wall::default(), queue(&DROPPED, &fixture.cache));
    let running = Running::start(stuck(&DROPPED, &fixture.cache, &wall, &Ledger::default()));
    items.push(step(0, 0)).await.unwrap();
    wall.is_reached_by(1).await;
    running.abort().await;
    let (other, ledger) = (fixture.another_cache(), Ledger::default());
    let running = Running::start(worker(&DROPPED, &other, &ledger));
    eventually!(ledger.of(0) == [0]);
    running.stop().await;
}

static LATE: QueueSite = site("stuck-and-late").sink_timeout_ms(50);

/// Longer than `sink_timeout` and `lease`.
async fn a_sink_that_blocks_for_too_long_and_succeeds_has_succeeded(fixture: Fixture) {
    let (wall, items, ledger) = (Wall::default(), queue(&LATE, &fixture.cache), Ledger::default());
    let running = Running::start(stuck_for(LONG, &LATE, &fixture.cache, &wall, &ledger));
    items.push(step(0, 0)).await.unwrap();
    items.push(step(0, 1)).await.unwrap();
    wall.fall();
    eventually!(items.length().await.is_ok_and(|length| length == QueueLength::default()));
    running.stop().await;
    assert_eq!(ledger.of(0), [0, 1], "each once");
    let stats = fixture.cache.stats();
    let stats = stats.queue("stuck-and-late").unwrap();
    assert_eq!((stats.delivered, stats.failures, stats.partitions_lost), (2, 0, 0));
}

static TAKEN: QueueSite = site("stuck-and-taken").partitions(2).sink_timeout_ms(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sink_that_blocks_for_too_long_makes_way_for_others() {
    let fixture = Fixture::redis().await;
    let (wall, items, late) = (Wall::default(), queue(&TAKEN, &fixture.cache), Ledger::default());
    for counter in 0..8 {
        items.push(step(counter, 0)).await.unwrap();
    }
    let blocked = Running::start(stuck(&TAKEN, &fixture.cache, &wall, &late));
    wall.is_reached_by(2).await;
    // Another worker gets both partitions, not only its share of them.
    let (other, ledger) = (fixture.another_cache(), Ledger::default());
    let running = Running::start(worker(&TAKEN, &other, &ledger));
    eventually!(ledger.len() == 8);
    eventually!(items.length().await.is_ok_and(|length| length == QueueLength::default()));
    wall.fall();
    let lost = || fixture.cache.stats().queue("stuck-and-taken").unwrap().partitions_lost;
    eventually!(lost() == 2);
    // What it had begun it may have ended, and no more.
    assert_eq!(late.len(), 2);
    // It takes part again.
    let owned = || fixture.cache.stats().queue("stuck-and-taken").unwrap().partitions_owned;
    eventually!(owned() == 1);
    blocked.stop().await;
    running.stop().await;
    assert_eq!(ledger.len(), 8);
}

static CUT_OFF: QueueSite = site("stuck-and-cut-off");

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_owner_that_blocks_keeps_its_partition_over_a_lost_connection() {
    let fixture = Fixture::redis().await;
    let server = fixture.store.server();
    let proxy = Proxy::to(server.single()).await;
    let cache = patient().connect(&server.single().url_at(proxy.port())).unwrap();
    let (wall, items) = (Wall::default(), queue(&CUT_OFF, &fixture.cache));
    let (ledger, others) = (Ledger::default(), Ledger::default());
    for number in 0..2 {
        items.push(step(0, number)).await.unwrap();
    }
    let running = Running::start(stuck_for(LONG, &CUT_OFF, &cache, &wall, &ledger));
    wall.is_reached_by(1).await;
    proxy.reset_connections();
    wall.fall();
    // Somebody who would take what is not kept.
    let other = Running::start(worker(&CUT_OFF, &fixture.cache, &others));
    eventually!(items.length().await.is_ok_and(|length| length == QueueLength::default()));
    running.stop().await;
    other.stop().await;
    // The second may have come to the other's share; nobody got what the first had.
    assert_eq!(ledger.of(0)[0], 0);
    assert_eq!([ledger.of(0), others.of(0)].concat(), [0, 1]);
    assert_eq!(cache.stats().queue("stuck-and-cut-off").unwrap().partitions_lost, 0);
}

cache_fixtures::stores::on_both_stores! {
    a_worker_ends_although_its_sink_blocks_for_ever
    a_sink_that_blocks_for_too_long_and_succeeds_has_succeeded
}
