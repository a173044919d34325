//! Workers that share a queue, come, go, and stand still.

use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::__private::{self, QueueSite};
use cache_runtime::{Batch, Cache};
use cache_testing::barrier::eventually;
use cache_testing::children::{self, Child, Parent, this_test};
use cache_testing::log;
use cache_testing::redis::{Client, RedisServer};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::stage::{LEASE_MS, Ledger, Running, STEPS, Stage, Step, queue, step, worker};

fn owned(cache: &Cache) -> u64 {
    cache.stats().queue("steps").map_or(0, |queue| queue.partitions_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_the_partitions_whoever_comes_and_goes() {
    let stage = Stage::redis().await;
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    let (here, there) = (stage.another_cache(), stage.another_cache());
    let pushing = tokio::spawn(async move {
        for number in 0.. {
            for counter in 0..10 {
                queue.push(step(counter, number)).await.unwrap();
            }
            if DONE.is_closed() {
                return number + 1;
            }
            sleep(Duration::from_millis(1)).await;
        }
        0
    });

    let first = Running::start(worker(&STEPS, &here, &ledger));
    eventually!(owned(&here) == 4);
    let second = Running::start(worker(&STEPS, &there, &ledger));
    eventually!((owned(&here), owned(&there)) == (2, 2));
    let delivered = ledger.len();
    eventually!(ledger.len() > delivered + 100);
    first.stop().await;
    eventually!((owned(&here), owned(&there)) == (0, 4));
    let third = Running::start(worker(&STEPS, &here, &ledger));
    eventually!((owned(&here), owned(&there)) == (2, 2));
    second.stop().await;
    eventually!(owned(&here) == 4);
    DONE.close();
    let each = pushing.await.unwrap();
    eventually!(ledger.len() >= usize::try_from(each).unwrap() * 10);
    third.stop().await;

    for counter in 0..10 {
        // Each exactly once, in fact: nobody has crashed.
        assert_eq!(ledger.of(counter), (0..each).collect::<Vec<_>>());
    }
}

/// Closed when enough was pushed.
static DONE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(0);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_dropped_loses_nothing() {
    let stage = Stage::redis().await;
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    let gate = ledger.hold();
    let dropped = Running::start(worker(&STEPS, &stage.cache, &ledger));
    for number in 0..5 {
        queue.push(step(3, number)).await.unwrap();
    }
    gate.entered(1).await;
    dropped.abort().await;
    gate.empty().await;
    assert_eq!(ledger.len(), 0, "its sink was dropped, too");

    gate.open();
    let next = Running::start(worker(&STEPS, &stage.cache, &ledger));
    eventually!(ledger.len() == 5);
    next.stop().await;
    assert_eq!(ledger.of(3), [0, 1, 2, 3, 4]);
    let owners = stage.server.unwrap().1.keys().await;
    assert!(!owners.iter().any(|key| key.ends_with(":owner")), "{owners:?}");
}

static LONELY: QueueSite = QueueSite::new("workers::lonely", "lonely")
    .partitions(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();

/// What a child says in the end.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    delivered: u64,
    lost: u64,
}

/// A child: its sink appends to a list, says so, and stays in the middle.
async fn apply_and_stay(mut parent: Parent) {
    let url: String = parent.setup();
    let (cache, client) = (patient().connect(&url).unwrap(), Client::connect(&url).await);
    let sink = |client: Client, batch: Batch<Step>| async move {
        for step in batch.into_items() {
            client.run::<()>(&["RPUSH", "applied", &step.number.to_string()]).await;
        }
        std::future::pending::<Result<(), String>>().await
    };
    let worker = __private::worker(queue(&LONELY, &cache), client, sink);
    let running = Running::start(worker);
    parent.expect("tell").await;
    let lost = || cache.stats().queue("lonely").map_or(0, |queue| queue.partitions_lost);
    eventually!(lost() > 0);
    running.abort().await;
    let stats = cache.stats();
    parent.say(&Told { delivered: stats.queue("lonely").unwrap().delivered, lost: lost() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_stood_still_changes_nothing_when_it_goes_on() {
    if let Some(parent) = children::parent() {
        return apply_and_stay(parent).await;
    }
    let server = RedisServer::start().await;
    let client = server.client().await;
    let cache = patient().connect(&server.url()).unwrap();
    let lonely = queue(&LONELY, &cache);
    let mut paused = Child::spawn(&this_test!(), 0, &server.url());
    lonely.push(step(0, 1)).await.unwrap();
    let applied = || async { client.run::<Vec<u64>>(&["LRANGE", "applied", "0", "-1"]).await };
    eventually!(applied().await == [1]);
    paused.stop();

    let ledger = Ledger::default();
    let running = Running::start(worker(&LONELY, &cache, &ledger));
    // It takes over what the other one was at.
    eventually!(ledger.of(0) == [1]);
    lonely.push(step(0, 2)).await.unwrap();
    eventually!(ledger.of(0) == [1, 2]);
    // Something is under way when the other one comes back.
    let gate = ledger.hold();
    lonely.push(step(0, 3)).await.unwrap();
    gate.entered(1).await;
    paused.cont();
    paused.say("tell").await;
    let told: Told = paused.hear().await;
    paused.finish().await;
    assert_eq!(told, Told { delivered: 0, lost: 1 });
    assert_eq!(lonely.length().await.unwrap().pending, 1);
    gate.open();
    eventually!(ledger.of(0) == [1, 2, 3]);
    running.stop().await;
    assert_eq!(applied().await, [1], "it has applied nothing more");
}

static GROWN: QueueSite = QueueSite::new("workers::grown", "grown")
    .partitions(6)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();
static SHRUNK: QueueSite = QueueSite::new("workers::shrunk", "grown")
    .partitions(2)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_fewer_partitions_than_before_nothing_stays_behind() {
    let stage = Stage::redis().await;
    let (grown, ledger) = (queue(&GROWN, &stage.cache), Ledger::default());
    let running = Running::start(worker(&GROWN, &stage.cache, &Ledger::default()));
    grown.push(step(100, 0)).await.unwrap();
    eventually!(grown.length().await.unwrap().waiting == 0);
    running.stop().await;
    for counter in 0..20 {
        grown.push(step(counter, 0)).await.unwrap();
    }
    let cache = stage.another_cache();
    let shrunk = queue(&SHRUNK, &cache);
    assert!(!shrunk.shrink().await.unwrap(), "some are not empty");
    let running = Running::start(worker(&SHRUNK, &cache, &ledger));
    eventually!(ledger.len() == 20);
    let owned = || cache.stats().queue("grown").unwrap().partitions_owned;
    eventually!(owned() == 6);
    eventually!(shrunk.shrink().await.unwrap());
    // It learns of that, as of more.
    running.stop().await;
    let running = Running::start(worker(&SHRUNK, &cache, &ledger));
    eventually!(owned() == 2);
    assert!(shrunk.shrink().await.unwrap());
    // A process that knows of more makes them known again, and nothing that it pushes stays behind.
    for counter in 200..210 {
        grown.push(step(counter, 0)).await.unwrap();
    }
    eventually!({
        _ = stage.cache.stats();
        owned() == 6 && ledger.len() == 30
    });
    running.stop().await;
}

#[tokio::test]
async fn a_sink_may_take_longer_than_a_lease() {
    let stage = Stage::redis().await;
    let server = &stage.server.as_ref().unwrap().0;
    let (lonely, ledger) = (queue(&LONELY, &stage.cache), Ledger::default());
    let gate = ledger.hold();
    let running = Running::start(worker(&LONELY, &stage.cache, &ledger));
    lonely.push(step(0, 0)).await.unwrap();
    gate.entered(1).await;
    server.single().reset_commandstats().await;
    // Each of them is a quarter of the lease.
    eventually!(
        server.single().commandstats().await.get("pexpire").is_some_and(|renewals| *renewals > 5)
    );
    gate.open();
    eventually!(ledger.of(0) == [0]);
    running.stop().await;
    let stats = stage.cache.stats();
    let stats = stats.queue("lonely").unwrap();
    assert_eq!((stats.delivered, stats.partitions_lost), (1, 0));
}

static SCATTERED: QueueSite = QueueSite::new("workers::scattered", "scattered")
    .partitions(4)
    .linger_ms(0)
    .max_attempts(1)
    .keep_all();

#[tokio::test]
async fn ten_bad_items_are_three_lines() {
    log::capture();
    let stage = Stage::redis().await;
    let (scattered, ledger) = (queue(&SCATTERED, &stage.cache), Ledger::default());
    ledger.refuse(|step| step.number == 3);
    for counter in 0..10 {
        for number in 0..6 {
            scattered.push(step(counter, number)).await.unwrap();
        }
    }
    let running = Running::start(worker(&SCATTERED, &stage.cache, &ledger));
    eventually!(scattered.length().await.unwrap().dead_letters == 10);
    // A batch without any, in each partition.
    for counter in 0..10 {
        scattered.push(step(counter, 6)).await.unwrap();
    }
    eventually!(ledger.len() == 10 * 6);
    let lines = || {
        let all = log::about(None).into_iter();
        let of_sink = |line: &String| line.contains("sink") || line.contains("dead letter");
        all.filter(|line| line.contains("\"scattered\"") && of_sink(line)).collect::<Vec<_>>()
    };
    eventually!(lines().len() == 3);
    running.stop().await;
    let lines = lines();
    let [fails, dead, again] = &lines[..] else { panic!("{lines:#?}") };
    assert!(fails.contains("the sink fails: no step 3"), "{fails}");
    assert!(dead.contains(" is a dead letter: no step 3"), "{dead}");
    assert!(again.ends_with("takes items again; dead letters since it failed: 10"), "{again}");
}

static TOLD: QueueSite =
    QueueSite::new("workers::told", "told").partitions(1).linger_ms(0).max_attempts(20).keep_all();

#[tokio::test]
async fn the_log_has_one_line_for_each_change() {
    log::capture();
    let stage = Stage::redis().await;
    let (told, ledger) = (queue(&TOLD, &stage.cache), Ledger::default());
    let failures = || stage.cache.stats().queue("told").unwrap().failures;
    let lines = |text: &str| {
        let all = log::about(None);
        all.iter().filter(|line| line.contains("\"told\"") && line.contains(text)).count()
    };
    ledger.refuse(|_| true);
    let running = Running::start(worker(&TOLD, &stage.cache, &ledger));
    told.push(step(0, 0)).await.unwrap();
    eventually!(failures() > 2);
    ledger.accept();
    eventually!(ledger.of(0) == [0]);
    running.stop().await;
    assert_eq!((lines("the sink fails: no step 0"), lines("takes items again")), (1, 1));
    assert_eq!(lines("keeps no append-only file"), 1);

    let memory = Cache::in_memory();
    for number in 0..3 {
        queue(&TOLD, &memory).push(step(0, number)).await.unwrap();
    }
    assert_eq!(lines("is kept in this process's memory"), 1);
}
