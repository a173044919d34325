//! Deployments that give a queue more partitions, or fewer: keys move to other partitions, and
//! items keep their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cache_fixtures::stores::OnStore as _;
use cache_runtime::__private::QueueSite;
use cache_runtime::Cache;
use cache_runtime::stats::QueueLength;
use cache_testing::barrier::eventually;

use crate::fixture::{Fixture, LEASE_MS, Ledger, Running, queue, step, worker};

const fn site(name: &'static str, partitions: u32) -> QueueSite {
    QueueSite::new("layouts", name)
        .partitions(partitions)
        .linger_ms(0)
        .lease_ms(LEASE_MS)
        .push_timeout_ms(60_000)
        .unavailable_is_error()
        .keep_all()
}

const COUNTERS: u64 = 12;

/// Pushes the next step of every counter.
async fn push_round(site: &'static QueueSite, cache: &Cache, number: u64) {
    for counter in 0..COUNTERS {
        queue(site, cache).push(step(counter, number)).await.unwrap();
    }
}

fn assert_order(ledger: &Ledger, rounds: u64) {
    for counter in 0..COUNTERS {
        assert_eq!(ledger.of(counter), (0..rounds).collect::<Vec<_>>(), "counter {counter}");
    }
}

async fn spread(fixture: &Fixture, queue: &str) -> Option<u32> {
    let client = fixture.store.client();
    client.run(&["HGET", &format!("wb:{{{queue}}}:layout"), "spread"]).await
}

static FEW: QueueSite = site("layouts-grow", 2);
static MANY: QueueSite = site("layouts-grow", 7);

/// Processes of both releases push, one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_more_partitions_items_of_a_key_keep_their_order() {
    let fixture = Fixture::redis().await;
    let (old, new, ledger) = (fixture.cache.clone(), fixture.another_cache(), Ledger::default());
    push_round(&FEW, &old, 0).await;
    push_round(&FEW, &old, 1).await;
    assert_eq!(spread(&fixture, "layouts-grow").await, Some(2));
    let gate = ledger.hold();
    let running = Running::start(worker(&MANY, &new, &ledger));
    eventually!(spread(&fixture, "layouts-grow").await == Some(7));
    push_round(&MANY, &new, 2).await;
    push_round(&FEW, &old, 3).await;
    push_round(&MANY, &new, 4).await;
    gate.entered(2).await;
    // What comes later waits for what the two have.
    assert_eq!(gate.inside(), 2);
    gate.open();
    eventually!(ledger.len() as u64 == 5 * COUNTERS);
    running.stop().await;
    assert_order(&ledger, 5);
    assert_eq!(queue(&FEW, &old).length().await.unwrap(), QueueLength::default());
}

static WIDE: QueueSite = site("layouts-shrink", 7);
static NARROW: QueueSite = site("layouts-shrink", 2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_fewer_partitions_items_of_a_key_keep_their_order() {
    let fixture = Fixture::redis().await;
    let (old, new, ledger) = (fixture.cache.clone(), fixture.another_cache(), Ledger::default());
    push_round(&WIDE, &old, 0).await;
    push_round(&NARROW, &new, 1).await;
    assert_eq!(spread(&fixture, "layouts-shrink").await, Some(7), "until it is told otherwise");
    let narrow = queue(&NARROW, &new);
    assert!(!narrow.shrink().await.unwrap(), "items are left");
    assert_eq!(spread(&fixture, "layouts-shrink").await, Some(2));
    push_round(&NARROW, &new, 2).await;
    push_round(&WIDE, &old, 3).await;
    let running = Running::start(worker(&NARROW, &new, &ledger));
    eventually!(ledger.len() as u64 == 4 * COUNTERS);
    eventually!(narrow.shrink().await.unwrap());
    push_round(&WIDE, &old, 4).await;
    eventually!(ledger.len() as u64 == 5 * COUNTERS);
    running.stop().await;
    assert_order(&ledger, 5);
}

static CUT: QueueSite = site("layouts-cut", 3);

/// Whoever began it is gone, and everybody else goes on.
#[tokio::test]
async fn a_change_that_was_cut_off_is_ended_by_a_push() {
    let fixture = Fixture::redis().await;
    let client = fixture.store.client();
    push_round(&CUT, &fixture.cache, 0).await;
    let layout = "wb:{layouts-cut}:layout";
    let epoch: u64 = client.run(&["HGET", layout, "epoch"]).await;
    let next = (epoch + 1).to_string();
    client.run::<()>(&["HSET", layout, "next", &next, "next_spread", "5"]).await;
    // One of its partitions was turned to it.
    client.run::<()>(&["HSET", "wb:{layouts-cut:0}:clock", "epoch", &next, "bound", "0-0"]).await;
    push_round(&CUT, &fixture.cache, 1).await;
    assert_eq!(spread(&fixture, "layouts-cut").await, Some(5));
    let ledger = Ledger::default();
    let running = Running::start(worker(&CUT, &fixture.another_cache(), &ledger));
    eventually!(ledger.len() as u64 == 2 * COUNTERS);
    running.stop().await;
    for counter in 0..COUNTERS {
        assert_eq!(ledger.of(counter).len(), 2);
    }
}

static ALSO_FEW: QueueSite = site("layouts-all", 3);
static ALSO_MANY: QueueSite = site("layouts-all", 8);

/// Processes of two releases push at once, with and without others, and workers of both come and
/// go.
async fn while_everybody_pushes(fixture: Fixture) {
    let (old, new, ledger) = (fixture.another_cache(), fixture.another_cache(), Ledger::default());
    let (is_over, pushed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let pushing: Vec<_> = (0..COUNTERS)
        .map(|counter| {
            let (old, new) = (queue(&ALSO_FEW, &old), queue(&ALSO_MANY, &new));
            let (is_over, pushed) = (Arc::clone(&is_over), Arc::clone(&pushed));
            tokio::spawn(async move {
                let mut number = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let queue = if number % 3 == 0 { &old } else { &new };
                    if number % 5 == 0 {
                        let many = (number..number + 4).map(|number| step(counter, number));
                        queue.push_many(many.collect()).await.unwrap();
                        number += 4;
                    } else {
                        queue.push(step(counter, number)).await.unwrap();
                        number += 1;
                    }
                    pushed.fetch_add(1, Ordering::SeqCst);
                }
                number
            })
        })
        .collect();
    let more = async || {
        let before = pushed.load(Ordering::SeqCst);
        eventually!(pushed.load(Ordering::SeqCst) > before + 20 * COUNTERS);
    };
    more().await;
    let first = Running::start(worker(&ALSO_FEW, &old, &ledger));
    more().await;
    let second = Running::start(worker(&ALSO_MANY, &new, &ledger));
    eventually!(spread(&fixture, "layouts-all").await == Some(8));
    more().await;
    second.stop().await;
    // Nobody is left whose worker wants more.
    eventually!({
        _ = queue(&ALSO_FEW, &old).shrink().await.unwrap();
        spread(&fixture, "layouts-all").await == Some(3)
    });
    more().await;
    is_over.store(true, Ordering::SeqCst);
    let mut rounds = Vec::new();
    for pushing in pushing {
        rounds.push(pushing.await.unwrap());
    }
    eventually!(ledger.len() as u64 == rounds.iter().sum::<u64>());
    eventually!(queue(&ALSO_FEW, &old).shrink().await.unwrap());
    first.stop().await;
    for (counter, rounds) in (0..).zip(rounds) {
        assert_eq!(ledger.of(counter), (0..rounds).collect::<Vec<_>>(), "counter {counter}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_is_kept_while_everybody_pushes() {
    while_everybody_pushes(Fixture::redis().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_is_kept_in_a_cluster() {
    while_everybody_pushes(Fixture::cluster().await).await;
}
