//! What holds while nothing fails.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::__private::{self, QueueSite};
use cache_runtime::{Cache, ErrorKind};
use cache_testing::barrier::eventually;

use crate::stage::{LEASE_MS, Ledger, Running, STEPS, Stage, queue, step, worker};

on_all_stores! {
    what_is_pushed_arrives_in_order
    what_was_pushed_before_the_worker_came_arrives
    a_full_queue_refuses_or_waits
    items_of_a_key_are_coalesced
    what_is_refused_becomes_a_dead_letter_and_comes_back
    a_batch_is_no_larger_than_asked_for
    a_worker_that_stops_gives_its_partitions_back
    versions_of_a_key_grow
    a_worker_that_stops_ends_its_batch
    a_full_batch_waits_no_longer
}

async fn what_is_pushed_arrives_in_order(stage: Stage) {
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    let running = Running::start(worker(&STEPS, &stage.cache, &ledger));
    for number in 0..50 {
        for counter in 0..10 {
            queue.push(step(counter, number)).await.unwrap();
        }
    }
    eventually!(ledger.len() == 500);
    running.stop().await;
    for counter in 0..10 {
        assert_eq!(ledger.of(counter), (0..50).collect::<Vec<_>>());
    }
    let length = queue.length().await.unwrap();
    assert_eq!((length.waiting, length.pending, length.dead_letters), (0, 0, 0));
    let stats = stage.cache.stats();
    let stats = stats.queue("steps").unwrap();
    assert_eq!((stats.pushed, stats.delivered, stats.failures), (500, 500, 0));
    assert_eq!((stats.partitions_owned, stats.partitions_lost), (0, 0));
}

async fn what_was_pushed_before_the_worker_came_arrives(stage: Stage) {
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    for number in 0..10 {
        queue.push(step(number % 3, number)).await.unwrap();
    }
    assert_eq!(queue.length().await.unwrap().waiting, 10);
    let running = Running::start(worker(&STEPS, &stage.cache, &ledger));
    eventually!(ledger.len() == 10);
    running.stop().await;
    assert_eq!(ledger.of(0), [0, 3, 6, 9]);
}

static SMALL: QueueSite = QueueSite::new("basics::small", "small")
    .partitions(1)
    .max_len(3)
    .push_timeout_ms(2_000)
    .linger_ms(0)
    .keep_all();

static PATIENT: QueueSite = QueueSite::new("basics::small", "small")
    .partitions(1)
    .max_len(3)
    .push_timeout_ms(30_000)
    .keep_all();

async fn a_full_queue_refuses_or_waits(stage: Stage) {
    let (queue, ledger) = (queue(&SMALL, &stage.cache), Ledger::default());
    for number in 0..3 {
        queue.push(step(0, number)).await.unwrap();
    }
    assert_eq!(queue.try_push(step(0, 3)).await.unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(queue.push(step(0, 3)).await.unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(stage.cache.stats().queue("small").unwrap().full, 2);
    // Another handle of the same queue is more patient.
    let other = stage.another_cache();
    let patient = crate::stage::queue(&PATIENT, &other);
    let waiting = tokio::spawn(async move { patient.push(step(0, 3)).await });
    let running = Running::start(worker(&SMALL, &stage.cache, &ledger));
    eventually!(ledger.len() >= 3);
    waiting.await.unwrap().unwrap();
    if stage.server.is_some() {
        eventually!(ledger.len() == 4);
        assert_eq!(ledger.of(0), [0, 1, 2, 3]);
    }
    running.stop().await;
}

static LATEST: QueueSite =
    QueueSite::new("basics::latest", "latest").partitions(2).linger_ms(0).batch(100);

static SUMS: QueueSite = QueueSite::new("basics::sums", "sums").partitions(2).linger_ms(0);

async fn items_of_a_key_are_coalesced(stage: Stage) {
    let ledger = Ledger::default();
    let latest = queue(&LATEST, &stage.cache);
    for number in 0..20 {
        latest.push(step(1, number)).await.unwrap();
    }
    let running = Running::start(worker(&LATEST, &stage.cache, &ledger));
    eventually!(ledger.len() == 1);
    running.stop().await;
    assert_eq!(ledger.of(1), [19]);

    let sums = || {
        __private::queue(&SUMS)
            .key(|step: &crate::stage::Step, key| key.part(&step.counter))
            .merge(|older, newer| step(older.counter, older.number + newer.number))
            .cache(&stage.cache)
            .done()
    };
    for number in 1..=20 {
        sums().push(step(2, number)).await.unwrap();
    }
    let sum = __private::worker(sums(), ledger.clone(), Ledger::take);
    let running = Running::start(sum);
    eventually!(ledger.len() == 2);
    running.stop().await;
    assert_eq!(ledger.of(2), [210]);
}

static FRAGILE: QueueSite = QueueSite::new("basics::fragile", "fragile")
    .partitions(1)
    .linger_ms(0)
    .max_attempts(2)
    .keep_all();

async fn what_is_refused_becomes_a_dead_letter_and_comes_back(stage: Stage) {
    let (queue, ledger) = (queue(&FRAGILE, &stage.cache), Ledger::default());
    ledger.refuse(|step| step.number == 5);
    for number in 0..10 {
        queue.push(step(number % 2, number)).await.unwrap();
    }
    let running = Running::start(worker(&FRAGILE, &stage.cache, &ledger));
    eventually!(ledger.len() == 9);
    eventually!(queue.length().await.unwrap().dead_letters == 1);
    assert_eq!(ledger.of(1), [1, 3, 7, 9], "the others go on in their order");
    let letters = queue.dead_letters(10).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter.item, Some(step(1, 5)));
    assert_eq!((&letter.key[..], letter.partition, letter.attempts), ("1", 0, 2));
    assert_eq!(letter.error, "no step 5");
    assert_eq!(stage.cache.stats().queue("fragile").unwrap().dead_letters, 1);

    ledger.accept();
    assert_eq!(queue.redrive().await.unwrap(), 1);
    eventually!(ledger.len() == 10);
    running.stop().await;
    assert_eq!(queue.length().await.unwrap().dead_letters, 0);
    assert_eq!(ledger.versions().pop(), Some(letter.version), "it is as old as it was");
}

static SLICES: QueueSite =
    QueueSite::new("basics::slices", "slices").partitions(1).batch(7).linger_ms(20).keep_all();

async fn a_batch_is_no_larger_than_asked_for(stage: Stage) {
    let (queue, ledger) = (queue(&SLICES, &stage.cache), Ledger::default());
    for number in 0..20 {
        queue.push(step(0, number)).await.unwrap();
    }
    let running = Running::start(worker(&SLICES, &stage.cache, &ledger));
    eventually!(ledger.len() == 20);
    running.stop().await;
    assert_eq!(ledger.batches(), [7, 7, 6]);
}

async fn a_worker_that_stops_gives_its_partitions_back(stage: Stage) {
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    for round in 1..=3 {
        let running = Running::start(worker(&STEPS, &stage.cache, &ledger));
        for counter in 0..8 {
            queue.push(step(counter, round)).await.unwrap();
        }
        eventually!(ledger.len() == 8 * usize::try_from(round).unwrap());
        running.stop().await;
    }
    assert_eq!(stage.cache.stats().queue("steps").unwrap().partitions_lost, 0);
    if let Some((_, client)) = &stage.server {
        let owners = client.keys().await;
        assert!(!owners.iter().any(|key| key.ends_with(":owner")), "{owners:?}");
        let mut known: Vec<String> = client.run(&["HKEYS", "wb:{steps}:workers"]).await;
        known.sort();
        assert_eq!(known, ["partitions"]);
    }
}

async fn a_worker_that_stops_ends_its_batch(stage: Stage) {
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    let gate = ledger.hold();
    let running = Running::start(worker(&STEPS, &stage.cache, &ledger));
    queue.push(step(0, 0)).await.unwrap();
    gate.entered(1).await;
    let stopping = tokio::spawn(running.stop());
    assert_eq!(queue.length().await.unwrap().pending, 1);
    gate.open();
    stopping.await.unwrap();
    assert_eq!(ledger.of(0), [0]);
    let length = queue.length().await.unwrap();
    assert_eq!((length.waiting, length.pending), (0, 0));
}

async fn versions_of_a_key_grow(stage: Stage) {
    let (queue, ledger) = (queue(&STEPS, &stage.cache), Ledger::default());
    for number in 0..100 {
        queue.push(step(7, number)).await.unwrap();
    }
    let running = Running::start(worker(&STEPS, &stage.cache, &ledger));
    eventually!(ledger.len() == 100);
    running.stop().await;
    let versions = ledger.versions();
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "{versions:?}");
    assert!(versions[0] > 0);
}

#[tokio::test]
async fn without_a_store_a_push_goes_to_the_sink() {
    let (cache, ledger) = (Cache::disabled(), Ledger::default());
    let queue = queue(&STEPS, &cache);
    let error = queue.push(step(0, 0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let running = Running::start(worker(&STEPS, &cache, &ledger));
    queue.push(step(0, 1)).await.unwrap();
    assert_eq!(ledger.of(0), [1]);
    ledger.refuse(|_| true);
    assert_eq!(queue.push(step(0, 2)).await.unwrap_err().kind(), ErrorKind::Sink);
    running.stop().await;
    assert_eq!(cache.stats().queue("steps").unwrap().direct, 1);
}

static SLOW: QueueSite =
    QueueSite::new("basics::slow", "slow").partitions(2).batch(3).linger_ms(3_600_000);

static PROMPT: QueueSite = QueueSite::new("basics::prompt", "prompt")
    .partitions(1)
    .batch(5)
    .linger_ms(3_600_000)
    .lease_ms(LEASE_MS)
    .keep_all();

async fn a_full_batch_waits_no_longer(stage: Stage) {
    let (queue, ledger) = (queue(&PROMPT, &stage.cache), Ledger::default());
    let running = Running::start(worker(&PROMPT, &stage.cache, &ledger));
    for number in 0..7 {
        queue.push(step(0, number)).await.unwrap();
    }
    eventually!(ledger.len() == 5);
    // Nor does the rest wait for company at the end.
    running.stop().await;
    eventually!(queue.length().await.unwrap().pending == 0 || ledger.len() == 7);
    assert!(ledger.of(0).is_sorted());
    if stage.server.is_none() {
        assert_eq!(ledger.len(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_in_memory_that_cannot_be_emptied_does_not_hold_the_process() {
    let (cache, ledger) = (Cache::in_memory(), Ledger::default());
    let queue = queue(&SLOW, &cache);
    ledger.refuse(|_| true);
    let running = Running::start(worker(&SLOW, &cache, &ledger));
    for number in 0..40 {
        queue.push(step(number, number)).await.unwrap();
    }
    running.stop().await;
    let length = queue.length().await.unwrap();
    assert_eq!(length.waiting + length.pending + length.dead_letters, 40);
    assert!(length.lag > std::time::Duration::ZERO);
}

#[tokio::test]
async fn a_queue_in_memory_is_emptied_at_shutdown() {
    let (cache, ledger) = (Cache::in_memory(), Ledger::default());
    let queue = queue(&SLOW, &cache);
    let running = Running::start(worker(&SLOW, &cache, &ledger));
    for number in 0..40 {
        queue.push(step(number, number)).await.unwrap();
    }
    running.stop().await;
    assert_eq!(ledger.len(), 40);
}
