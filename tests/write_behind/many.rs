//! Many items pushed at once.

use std::collections::BTreeSet;

use cache_fixtures::patient;
use cache_fixtures::stores::on_all_stores;
use cache_runtime::__private::QueueSite;
use cache_runtime::ErrorKind;
use cache_runtime::stats::BreakerState;
use cache_testing::barrier::eventually;
use cache_testing::redis::{Backend, Data, RedisServer};

use crate::stage::{LEASE_MS, Ledger, Running, STEPS, Stage, queue, step, worker};

on_all_stores! {
    many_items_arrive_in_the_order_of_their_keys
    what_finds_no_room_is_what_comes_last
    many_items_wait_for_room_together
}

async fn many_items_arrive_in_the_order_of_their_keys(stage: Stage) {
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    if let Some((Backend::Single(server), _)) = &stage.server {
        server.reset_commandstats().await;
    }
    // Several pieces in each partition.
    let steps = (0..1_000).map(|number| step(number % 7, number)).collect();
    queue.push_many(steps).await.unwrap();
    queue.push_many(Vec::new()).await.unwrap();
    assert_eq!(queue.length().await.unwrap().waiting, 1_000);
    assert_eq!(stage.cache.stats().queue("steps").unwrap().pushed, 1_000);
    if let Some((Backend::Single(server), _)) = &stage.server {
        let calls = server.commandstats().await;
        let pushes: u64 = ["eval", "evalsha"].iter().filter_map(|name| calls.get(*name)).sum();
        assert!(pushes < 50, "{pushes} calls for 1,000 items");
    }
    let running = Running::start(worker(&STEPS, &stage.cache, &ledger));
    eventually!(ledger.len() == 1_000);
    running.stop().await;
    for counter in 0..7 {
        let expected: Vec<_> = (0..1_000).filter(|number| number % 7 == counter).collect();
        assert_eq!(ledger.of(counter), expected);
    }
    let versions: BTreeSet<_> = ledger.versions().into_iter().collect();
    assert_eq!(versions.len(), 1_000, "each has a version of its own");
}

static SMALL: QueueSite = QueueSite::new("many::small", "many-small")
    .partitions(1)
    .max_len(70)
    .push_timeout_ms(2_000)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();

static ROOMY: QueueSite = QueueSite::new("many::small", "many-roomy")
    .partitions(1)
    .max_len(70)
    .push_timeout_ms(60_000)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();

async fn what_finds_no_room_is_what_comes_last(stage: Stage) {
    let (queue, ledger) = (queue(&SMALL, &stage.cache), Ledger::default());
    let steps = (0..200).map(|number| step(0, number)).collect();
    let error = queue.push_many(steps).await.unwrap_err();
    assert!(error.to_string().starts_with("130 of 200 items were not pushed"), "{error}");
    assert!(error.failed().iter().all(|(_, error)| error.kind() == ErrorKind::Full), "{error:?}");
    let places: Vec<_> = error.into_failed().into_iter().map(|(at, _)| at).collect();
    assert_eq!(places, (70..200).collect::<Vec<_>>());
    let running = Running::start(worker(&SMALL, &stage.cache, &ledger));
    eventually!(ledger.len() == 70);
    running.stop().await;
    assert_eq!(ledger.of(0), (0..70).collect::<Vec<_>>());
}

async fn many_items_wait_for_room_together(stage: Stage) {
    let (queue, ledger) = (queue(&ROOMY, &stage.cache), Ledger::default());
    let running = Running::start(worker(&ROOMY, &stage.cache, &ledger));
    let steps = (0..500).map(|number| step(number % 3, number)).collect();
    queue.push_many(steps).await.unwrap();
    eventually!(ledger.len() == 500);
    running.stop().await;
    for counter in 0..3 {
        assert!(ledger.of(counter).is_sorted(), "{:?}", ledger.of(counter));
    }
}

static DIRECT: QueueSite = QueueSite::new("many::direct", "many-direct")
    .partitions(1)
    .batch(40)
    .linger_ms(1_000)
    .keep_all();

static HELD: QueueSite = QueueSite::new("many::held", "many-held")
    .partitions(1)
    .linger_ms(0)
    .unavailable_is_error()
    .keep_all();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_down_many_items_are_few_batches() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let (direct, ledger) = (queue(&DIRECT, &cache), Ledger::default());
    let running = Running::start(worker(&DIRECT, &cache, &ledger));
    direct.push(step(0, 0)).await.unwrap();
    eventually!(ledger.len() == 1);
    server.kill();
    // From now on it is certain that nothing that is pushed gets there.
    eventually!(cache.stats().breaker != Some(BreakerState::Closed));
    let steps = || (1..=100).map(|number| step(0, number)).collect::<Vec<_>>();
    direct.push_many(steps()).await.unwrap();
    assert_eq!(ledger.batches(), [1, 40, 40, 20]);
    assert_eq!(ledger.of(0), (0..=100).collect::<Vec<_>>());
    let versions = ledger.versions();
    assert!(versions.is_sorted_by(|one, other| one < other), "{versions:?}");

    let held = queue(&HELD, &cache);
    let error = held.push_many(steps()).await.unwrap_err();
    assert_eq!(error.failed().len(), 100);
    assert!(error.failed().iter().all(|(_, error)| error.kind() == ErrorKind::Unavailable));
    server.restart(Data::Lost).await;
    eventually!(held.push_many(steps()).await.is_ok());
    assert!(held.length().await.unwrap().waiting >= 100);
    running.stop().await;
}

static REPLICATED: QueueSite = QueueSite::new("many::replicated", "many-replicated")
    .partitions(1)
    .push_timeout_ms(3_000)
    .replicas(1)
    .keep_all();

#[tokio::test]
async fn without_a_replica_the_first_piece_is_there_and_the_rest_is_not_tried() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let replicated = queue(&REPLICATED, &cache);
    let steps = (0..100).map(|number| step(0, number)).collect();
    let error = replicated.push_many(steps).await.unwrap_err();
    let kinds: Vec<_> = error.failed().iter().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds.len(), 100);
    let there = replicated.length().await.unwrap().waiting;
    let (unreplicated, untried) = kinds.split_at(usize::try_from(there).unwrap());
    assert!(there > 0 && unreplicated.iter().all(|kind| *kind == ErrorKind::Unreplicated));
    assert!(!untried.is_empty() && untried.iter().all(|kind| *kind == ErrorKind::Unavailable));
}
