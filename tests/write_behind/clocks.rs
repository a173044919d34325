//! Processes whose clocks differ.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_testing::barrier::eventually;
use cache_testing::children::{self, Parent, this_test};
use cache_testing::faketime;
use cache_testing::redis::RedisServer;

use crate::stage::{LEASE_MS, Ledger, Running, queue, step, worker};

static AHEAD: QueueSite = QueueSite::new("clocks::ahead", "ahead")
    .partitions(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();

const DAY: Duration = Duration::from_secs(86_400);

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970")
}

/// A child, a day ahead.
async fn push_tomorrow(mut parent: Parent) {
    let url: String = parent.setup();
    let cache = patient().connect(&url).unwrap();
    let ahead = queue(&AHEAD, &cache);
    ahead.push(step(0, 0)).await.unwrap();
    parent.say(&now());
    parent.expect("end").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lag_is_by_the_clock_of_the_server() {
    if let Some(parent) = children::parent() {
        return push_tomorrow(parent).await;
    }
    let server = RedisServer::start().await;
    let mut child = faketime::spawn(&this_test!(), &server.url(), "+1d");
    let tomorrow: Duration = child.hear().await;
    assert!(tomorrow > now() + DAY / 2, "the child is not ahead");
    let cache = patient().connect(&server.url()).unwrap();
    let (ahead, ledger) = (queue(&AHEAD, &cache), Ledger::default());
    let first = ahead.length().await.unwrap();
    assert!(first.lag > Duration::ZERO && first.lag < DAY / 2, "{first:?}");
    // What is pushed here comes after it, and with a version of tomorrow.
    ahead.push(step(0, 1)).await.unwrap();
    assert!(ahead.length().await.unwrap().lag > first.lag);
    child.say("end").await;
    child.finish().await;

    let running = Running::start(worker(&AHEAD, &cache, &ledger));
    eventually!(ledger.of(0) == [0, 1]);
    eventually!(ahead.length().await.unwrap().lag == Duration::ZERO);
    running.stop().await;
    let versions = ledger.versions();
    assert!(versions.is_sorted_by(|one, other| one < other), "{versions:?}");
}

const fn fewer_or_more(partitions: u32) -> QueueSite {
    QueueSite::new("clocks::moved", "moved")
        .partitions(partitions)
        .linger_ms(0)
        .lease_ms(LEASE_MS)
        .keep_all()
}

static FEW: QueueSite = fewer_or_more(2);
static MANY: QueueSite = fewer_or_more(7);

const COUNTERS: u64 = 10;

/// A child of the old release, a day ahead.
async fn push_tomorrow_to_few(mut parent: Parent) {
    let url: String = parent.setup();
    let cache = patient().connect(&url).unwrap();
    for counter in 0..COUNTERS {
        queue(&FEW, &cache).push(step(counter, 0)).await.unwrap();
    }
    parent.say(&now());
    parent.expect("end").await;
}

/// Versions grow with a key, also where it moves to a partition that has seen none of tomorrow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_moves_takes_its_clock_along() {
    if let Some(parent) = children::parent() {
        return push_tomorrow_to_few(parent).await;
    }
    let server = RedisServer::start().await;
    let mut child = faketime::spawn(&this_test!(), &server.url(), "+1d");
    let tomorrow: Duration = child.hear().await;
    assert!(tomorrow > now() + DAY / 2, "the child is not ahead");
    child.say("end").await;
    child.finish().await;
    let cache = patient().connect(&server.url()).unwrap();
    let (many, ledger, client) = (queue(&MANY, &cache), Ledger::default(), server.client().await);
    let running = Running::start(worker(&MANY, &cache, &ledger));
    let spread = async || client.run::<Option<u32>>(&["HGET", "wb:{moved}:layout", "spread"]).await;
    eventually!(spread().await == Some(7));
    for counter in 0..COUNTERS {
        many.push(step(counter, 1)).await.unwrap();
    }
    eventually!(ledger.len() as u64 == 2 * COUNTERS);
    running.stop().await;
    for counter in 0..COUNTERS {
        assert_eq!(ledger.of(counter), [0, 1]);
        let versions = ledger.versions_of(counter);
        assert!(versions[0] < versions[1], "{versions:?} of counter {counter}");
    }
}
