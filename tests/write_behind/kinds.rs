//! What a sink says of its errors, and what becomes of its items.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::__private::{self, QueueSite};
use cache_runtime::queue::SinkError;
use cache_runtime::stats::QueueLength;
use cache_runtime::{Batch, Cache, Queue, Worker};
use cache_testing::barrier::eventually;
use tokio::time::sleep;

use crate::stage::{Ledger, Running, Stage, Step, queue, step};

/// A sink that keeps no positions, and says what it is told to say.
#[derive(Clone, Default)]
struct Plain(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    taken: Vec<Step>,
    calls: u64,
    says: Option<Says>,
}

type Says = fn(&[Step]) -> Result<(), SinkError>;

impl Plain {
    #[expect(clippy::unused_async, reason = "sinks are async")]
    async fn take(self, batch: Batch<Step>) -> Result<(), SinkError> {
        let mut state = self.0.lock().unwrap();
        state.calls += 1;
        let steps = batch.into_items();
        if let Some(says) = state.says {
            says(&steps)?;
        }
        state.taken.extend(steps);
        Ok(())
    }

    fn says(&self, says: Says) {
        self.0.lock().unwrap().says = Some(says);
    }

    fn accept(&self) {
        self.0.lock().unwrap().says = None;
    }

    fn calls(&self) -> u64 {
        self.0.lock().unwrap().calls
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().taken.len()
    }

    /// The numbers of one counter's steps, as they came.
    fn of(&self, counter: u64) -> Vec<u64> {
        let state = self.0.lock().unwrap();
        state.taken.iter().filter(|step| step.counter == counter).map(|step| step.number).collect()
    }
}

fn worker(site: &'static QueueSite, cache: &Cache, plain: &Plain) -> Worker {
    __private::worker(queue(site, cache), plain.clone(), Plain::take)
}

/// Pushes a step of each counter.
async fn push(queue: &Queue<Step>, counters: std::ops::Range<u64>) {
    for counter in counters {
        queue.push(step(counter, 0)).await.unwrap();
    }
}

on_both_stores! {
    bad_rows_delay_nobody
    bad_rows_are_given_up_while_others_are_taken
    a_permanent_error_makes_a_dead_letter_at_once
    errors_of_items_leave_the_others_alone
    items_of_a_key_wait_behind_one_that_waits
}

static BAD: QueueSite =
    QueueSite::new("kinds::bad", "bad").partitions(1).batch(1_000).linger_ms(0).keep_all();

/// One in a hundred is never taken.
fn no_hundreds(steps: &[Step]) -> Result<(), SinkError> {
    match steps.iter().find(|step| step.counter % 100 == 7) {
        Some(bad) => Err(SinkError::unspecified(format_args!("no {}", bad.counter))),
        None => Ok(()),
    }
}

async fn bad_rows_delay_nobody(stage: Stage) {
    let (items, plain) = (queue(&BAD, &stage.cache), Plain::default());
    plain.says(no_hundreds);
    push(&items, 0..1_000).await;
    let running = Running::start(worker(&BAD, &stage.cache, &plain));
    eventually!(plain.len() == 990);
    // Nobody has waited for them: they are tried for half a minute at least.
    running.stop().await;
    assert_eq!(items.length().await.unwrap().dead_letters, 0);
}

static HASTY: QueueSite = QueueSite::new("kinds::hasty", "hasty")
    .partitions(1)
    .batch(1_000)
    .linger_ms(0)
    .max_attempts(1)
    .keep_all();

async fn bad_rows_are_given_up_while_others_are_taken(stage: Stage) {
    let (items, plain) = (queue(&HASTY, &stage.cache), Plain::default());
    plain.says(no_hundreds);
    push(&items, 0..1_000).await;
    let running = Running::start(worker(&HASTY, &stage.cache, &plain));
    eventually!(items.length().await.unwrap() == dead(10));
    running.stop().await;
    assert_eq!(plain.len(), 990);
    let letters = items.dead_letters(100).await.unwrap();
    assert!(letters.iter().all(|letter| letter.key.ends_with('7') && letter.attempts == 1));
}

static PERMANENT: QueueSite =
    QueueSite::new("kinds::permanent", "permanent").partitions(1).batch(8).linger_ms(0).keep_all();

async fn a_permanent_error_makes_a_dead_letter_at_once(stage: Stage) {
    let (items, plain) = (queue(&PERMANENT, &stage.cache), Plain::default());
    plain.says(|steps| no_hundreds(steps).map_err(SinkError::permanent));
    push(&items, 0..8).await;
    let running = Running::start(worker(&PERMANENT, &stage.cache, &plain));
    eventually!(plain.len() == 7);
    eventually!(items.length().await.unwrap() == dead(1));
    running.stop().await;
    // Eight, four, two, and it alone.
    assert_eq!(stage.cache.stats().queue("permanent").unwrap().failures, 4);
    let letters = items.dead_letters(1).await.unwrap();
    assert_eq!((&letters[0].error[..], letters[0].attempts), ("no 7", 1));
}

/// A queue with nothing but dead letters.
fn dead(count: u64) -> QueueLength {
    let mut length = QueueLength::default();
    length.dead_letters = count;
    length
}

static ITEMS: QueueSite = QueueSite::new("kinds::items", "items")
    .partitions(1)
    .batch(8)
    .linger_ms(0)
    .max_attempts(1)
    .keep_all();

async fn errors_of_items_leave_the_others_alone(stage: Stage) {
    let (items, plain) = (queue(&ITEMS, &stage.cache), Plain::default());
    // Takes whatever it does not name.
    let sink = |plain: Plain, batch: Batch<Step>| async move {
        let steps = batch.into_items();
        let mut seen = plain.0.lock().unwrap();
        seen.calls += 1;
        let is_first = seen.calls == 1;
        let mut failed = Vec::new();
        for (place, step) in steps.into_iter().enumerate() {
            match step.counter {
                2 => failed.push((place, SinkError::permanent("never"))),
                5 if is_first => failed.push((place, SinkError::transient("later"))),
                _ => seen.taken.push(step),
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(SinkError::of_items(failed)) }
    };
    push(&items, 0..8).await;
    let running =
        Running::start(__private::worker(queue(&ITEMS, &stage.cache), plain.clone(), sink));
    eventually!(items.length().await.unwrap() == dead(1));
    running.stop().await;
    let counters: Vec<_> = plain.0.lock().unwrap().taken.iter().map(|step| step.counter).collect();
    assert_eq!(counters, [0, 1, 3, 4, 6, 7, 5], "each once");
    assert_eq!(plain.calls(), 2);
    assert_eq!(items.dead_letters(1).await.unwrap()[0].error, "never");
}

static BEHIND: QueueSite =
    QueueSite::new("kinds::behind", "behind").partitions(1).batch(4).linger_ms(0).keep_all();

async fn items_of_a_key_wait_behind_one_that_waits(stage: Stage) {
    let (items, plain) = (queue(&BEHIND, &stage.cache), Plain::default());
    plain.says(|steps| {
        let is_there = steps.contains(&Step { counter: 1, number: 1 });
        if is_there { Err(SinkError::unspecified("not yet")) } else { Ok(()) }
    });
    for number in 0..6 {
        for counter in 0..3 {
            items.push(step(counter, number)).await.unwrap();
        }
    }
    let running = Running::start(worker(&BEHIND, &stage.cache, &plain));
    let all = || (0..6).collect::<Vec<_>>();
    eventually!(plain.of(0) == all() && plain.of(2) == all());
    assert_eq!(plain.of(1), [0]);
    plain.accept();
    eventually!(plain.of(1) == all());
    running.stop().await;
    assert_eq!(items.length().await.unwrap(), QueueLength::default());
}

static OUTAGE: QueueSite = QueueSite::new("kinds::outage", "outage").linger_ms(10).keep_all();

/// Five minutes, by the clock of the test.
const OUTAGE_TIME: Duration = Duration::from_secs(300);

fn nothing(_: &[Step]) -> Result<(), SinkError> {
    Err(SinkError::unspecified("the database is down"))
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_down_makes_no_dead_letters() {
    let (cache, plain) = (Cache::in_memory(), Plain::default());
    let items = queue(&OUTAGE, &cache);
    plain.says(nothing);
    let running = Running::start(worker(&OUTAGE, &cache, &plain));
    push(&items, 0..4_000).await;
    sleep(OUTAGE_TIME).await;
    let calls = plain.calls();
    assert_eq!((plain.len(), items.length().await.unwrap().dead_letters), (0, 0));
    // Eight partitions, some fifteen pauses, and at most a dozen calls after each.
    assert!(calls < 8 * 25 * 12, "{calls}");
    plain.accept();
    while plain.len() < 4_000 {
        sleep(Duration::from_secs(1)).await;
    }
    running.stop().await;
    assert_eq!(items.length().await.unwrap(), QueueLength::default());
}

#[tokio::test(start_paused = true)]
async fn nor_does_it_if_the_sink_keeps_positions_or_has_one_item() {
    for count in [400, 1] {
        let (cache, ledger) = (Cache::in_memory(), Ledger::default());
        let items = queue(&OUTAGE, &cache);
        ledger.refuse(|_| true);
        let running = Running::start(crate::stage::worker(&OUTAGE, &cache, &ledger));
        push(&items, 0..count).await;
        sleep(OUTAGE_TIME).await;
        assert_eq!((ledger.len(), items.length().await.unwrap().dead_letters), (0, 0));
        ledger.accept();
        while ledger.len() < usize::try_from(count).unwrap() {
            sleep(Duration::from_secs(1)).await;
        }
        running.stop().await;
    }
}

static TRANSIENT: QueueSite = QueueSite::new("kinds::transient", "transient")
    .partitions(1)
    .linger_ms(0)
    .max_attempts(1)
    .keep_all();

#[tokio::test(start_paused = true)]
async fn a_transient_error_is_waited_for_however_long() {
    let (cache, plain) = (Cache::in_memory(), Plain::default());
    let items = queue(&TRANSIENT, &cache);
    plain.says(|_| Err(SinkError::transient("the database is down")));
    let running = Running::start(worker(&TRANSIENT, &cache, &plain));
    push(&items, 0..10).await;
    sleep(Duration::from_secs(24 * 3_600)).await;
    assert_eq!(items.length().await.unwrap().dead_letters, 0);
    assert!(plain.calls() > 100, "it goes on trying");
    plain.accept();
    while plain.len() < 10 {
        sleep(Duration::from_secs(1)).await;
    }
    running.stop().await;
}
