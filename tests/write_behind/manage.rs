//! Queues as a whole: paused, emptied, listed and renamed.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::__private::QueueSite;
use cache_runtime::Cache;
use cache_runtime::queue::QueueSummary;
use cache_testing::barrier::eventually;
use cache_testing::log;

use crate::fixture::{Fixture, LEASE_MS, Ledger, Running, queue, step, worker};

on_all_stores! {
    a_paused_queue_takes_items_and_delivers_none
    a_purged_queue_is_empty_and_goes_on
    queues_are_listed
    a_renamed_queue_is_emptied_by_its_new_workers
}

const fn site(name: &'static str) -> QueueSite {
    QueueSite::new("manage", name).partitions(2).linger_ms(0).lease_ms(LEASE_MS).keep_all()
}

static PAUSED: QueueSite = site("manage-paused");

async fn a_paused_queue_takes_items_and_delivers_none(fixture: Fixture) {
    log::capture();
    let (queue, ledger) = (queue(&PAUSED, &fixture.cache), Ledger::default());
    let owned = || fixture.cache.stats().queue("manage-paused").unwrap().partitions_owned;
    queue.pause().await.unwrap();
    let running = Running::start(worker(&PAUSED, &fixture.cache, &ledger));
    for number in 0..10 {
        queue.push(step(number, 0)).await.unwrap();
    }
    let length = queue.length().await.unwrap();
    assert_eq!((length.paused, length.waiting), (true, 10));
    queue.resume().await.unwrap();
    eventually!(ledger.len() == 10);
    assert!(!queue.length().await.unwrap().paused);

    // While it delivers.
    eventually!(owned() == 2);
    queue.pause().await.unwrap();
    eventually!(owned() == 0);
    for number in 0..10 {
        queue.push(step(number, 1)).await.unwrap();
    }
    // A worker that comes meanwhile learns it too, and one that goes empties nothing.
    let another = Running::start(worker(&PAUSED, &fixture.cache, &ledger));
    another.stop().await;
    assert_eq!((ledger.len(), queue.length().await.unwrap().depth()), (10, 10));
    eventually!({
        let length = fixture.cache.stats().queue("manage-paused").unwrap().length;
        length.is_some_and(|measured| measured.length.paused && measured.length.depth() == 10)
    });
    queue.resume().await.unwrap();
    eventually!(ledger.len() == 20);
    running.stop().await;
    for text in ["\"manage-paused\" is paused", "\"manage-paused\" is resumed"] {
        assert!(log::about(None).iter().any(|line| line.contains(text)), "{text}");
    }
}

static PURGED: QueueSite = site("manage-purged");

async fn a_purged_queue_is_empty_and_goes_on(fixture: Fixture) {
    let (queue, ledger) = (queue(&PURGED, &fixture.cache), Ledger::default());
    let gate = ledger.hold();
    let running = Running::start(worker(&PURGED, &fixture.cache, &ledger));
    queue.push(step(0, 0)).await.unwrap();
    gate.entered(1).await;
    // The sink has one, and the others wait: more than are removed at once.
    let steps = (1..=300).map(|number| step(number % 10, number)).collect();
    queue.push_many(steps).await.unwrap();
    assert_eq!(queue.purge().await.unwrap(), 301);
    assert_eq!(queue.length().await.unwrap().depth(), 0);
    gate.open();
    eventually!(ledger.of(0).contains(&0));
    queue.push(step(0, 1_000)).await.unwrap();
    eventually!(ledger.of(0).contains(&1_000));
    running.stop().await;
    let stats = fixture.cache.stats();
    assert_eq!(stats.queue("manage-purged").unwrap().dead_letters, 0);
    assert_eq!(queue.purge().await.unwrap(), 0);
}

static LISTED: QueueSite = site("manage {listed}");
static WORKED: QueueSite = site("manage-worked").partitions(3);

async fn of(cache: &Cache, queue: &str) -> Option<QueueSummary> {
    let queues = cache.queues().await.unwrap();
    assert!(queues.is_sorted_by(|one, other| one.queue < other.queue), "{queues:?}");
    queues.into_iter().find(|summary| summary.queue == queue)
}

async fn queues_are_listed(fixture: Fixture) {
    // Who asks has a cache of its own, and knows neither.
    let cache =
        if fixture.store.is_shared() { fixture.another_cache() } else { fixture.cache.clone() };
    assert_eq!(of(&cache, "manage-worked").await, None);
    let listed = queue(&LISTED, &fixture.cache);
    for number in 0..4 {
        listed.push(step(number, number)).await.unwrap();
    }
    eventually!(of(&cache, "manage {listed}").await.is_some());
    let summary = of(&cache, "manage {listed}").await.unwrap();
    assert_eq!((summary.partitions, summary.length.waiting), (2, 4));
    let running = Running::start(worker(&WORKED, &fixture.cache, &Ledger::default()));
    let worked = async || of(&cache, "manage-worked").await;
    eventually!(worked().await.is_some_and(|it| (it.partitions, it.workers) == (3, 1)));
    running.stop().await;
    assert_eq!(worked().await.unwrap().workers, 0, "it has left");
}

static BEFORE: QueueSite = site("manage-before").partitions(5);
static AFTER: QueueSite = site("manage-after");

async fn a_renamed_queue_is_emptied_by_its_new_workers(fixture: Fixture) {
    let (before, after) = (queue(&BEFORE, &fixture.cache), queue(&AFTER, &fixture.cache));
    for number in 0..30 {
        before.push(step(number % 10, number)).await.unwrap();
    }
    let ledger = Ledger::default();
    let running = Running::start(worker(&AFTER, &fixture.cache, &ledger).formerly("manage-before"));
    after.push(step(100, 100)).await.unwrap();
    eventually!(ledger.len() == 31);
    for counter in 0..10 {
        assert_eq!(ledger.of(counter), [counter, counter + 10, counter + 20]);
    }
    running.stop().await;
    assert_eq!(before.length().await.unwrap().depth(), 0);
    let stats = fixture.cache.stats();
    assert_eq!(stats.queue("manage-before").unwrap().delivered, 30);
}
