//! Sinks that keep their thread, or never return.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::__private::{self, QueueSite};
use cache_runtime::stats::QueueLength;
use cache_runtime::{Batch, Cache, Worker};
use cache_testing::barrier::eventually;
use cache_testing::log;
use tokio::sync::oneshot;

use crate::stage::{Ledger, Running, Stage, Step, queue, step};

const LEASE_MS: u64 = 300;

/// Longer than a lease: that is the fault, and no test waits for it.
const BLOCKED: Duration = Duration::from_millis(3 * LEASE_MS);

static BLOCKING: QueueSite = QueueSite::new("blocking::sink", "blocking")
    .partitions(1)
    .batch(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .keep_all();

/// A worker whose sink keeps its thread for longer than a lease.
fn blocking(cache: &Cache, ledger: &Ledger) -> Worker {
    let sink = |ledger: Ledger, batch: Batch<Step>| async move {
        thread::sleep(BLOCKED);
        ledger.take(batch).await
    };
    __private::worker(queue(&BLOCKING, cache), ledger.clone(), sink)
}

async fn a_sink_that_keeps_its_thread_gets_each_item_once(stage: Stage) {
    log::capture();
    let (items, ledger) = (queue(&BLOCKING, &stage.cache), Ledger::default());
    for number in 0..3 {
        items.push(step(0, number)).await.unwrap();
    }
    let running = Running::start(blocking(&stage.cache, &ledger));
    eventually!(items.length().await.is_ok_and(|length| length == QueueLength::default()));
    running.stop().await;
    assert_eq!(ledger.of(0), [0, 1, 2]);
    let stats = stage.cache.stats();
    let stats = stats.queue("blocking").unwrap();
    assert_eq!((stats.delivered, stats.partitions_lost, stats.blocked), (3, 0, 3));
    let told = log::about(None);
    assert!(
        told.iter().any(|line| line.contains("\"blocking\"") && line.contains("spawn_blocking"))
    );
}

mod on_one_thread {
    use super::*;

    #[tokio::test]
    async fn embedded() {
        a_sink_that_keeps_its_thread_gets_each_item_once(Stage::embedded()).await;
    }

    #[tokio::test]
    async fn redis() {
        a_sink_that_keeps_its_thread_gets_each_item_once(Stage::redis().await).await;
    }
}

mod on_several_threads {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn embedded() {
        a_sink_that_keeps_its_thread_gets_each_item_once(Stage::embedded()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn redis() {
        a_sink_that_keeps_its_thread_gets_each_item_once(Stage::redis().await).await;
    }
}

/// Another worker is there to take what an owner does not keep.
#[tokio::test]
async fn a_blocked_owner_keeps_its_partition() {
    let stage = Stage::redis().await;
    let url = stage.server.as_ref().unwrap().0.url();
    let (items, ledger) = (queue(&BLOCKING, &stage.cache), Ledger::default());
    for number in 0..4 {
        items.push(step(0, number)).await.unwrap();
    }
    let workers: Vec<_> = (0..2).map(|_| Apart::start(&url, &ledger)).collect();
    eventually!(items.length().await.is_ok_and(|length| length == QueueLength::default()));
    let lost: u64 = workers.into_iter().map(Apart::stop).sum();
    assert_eq!(ledger.of(0), [0, 1, 2, 3]);
    assert_eq!(lost, 0);
}

/// A worker on a thread of its own, as another process has it.
struct Apart {
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<u64>,
}

impl Apart {
    fn start(url: &str, ledger: &Ledger) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (url, ledger) = (url.to_owned(), ledger.clone());
        let work = async move {
            let cache = patient().connect(&url).unwrap();
            blocking(&cache, &ledger).run(async { _ = stopped.await }).await;
            cache.stats().queue("blocking").unwrap().partitions_lost
        };
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(work)
        });
        Self { stop, thread }
    }

    /// How many partitions it has lost.
    fn stop(self) -> u64 {
        _ = self.stop.send(());
        self.thread.join().unwrap()
    }
}

static LIMITED: QueueSite = QueueSite::new("blocking::limited", "limited")
    .partitions(1)
    .linger_ms(0)
    .sink_timeout_ms(50)
    .max_attempts(1)
    .keep_all();

#[tokio::test]
async fn a_sink_that_takes_too_long_has_failed() {
    let stage = Stage::redis().await;
    let (items, ledger) = (queue(&LIMITED, &stage.cache), Ledger::default());
    let _held = ledger.hold();
    items.push(step(0, 0)).await.unwrap();
    let running = Running::start(crate::stage::worker(&LIMITED, &stage.cache, &ledger));
    eventually!(items.length().await.is_ok_and(|length| length.dead_letters == 1));
    running.stop().await;
    let letters = items.dead_letters(1).await.unwrap();
    assert_eq!(letters[0].error, "the sink took longer than `sink_timeout`, 50ms");
    assert_eq!(stage.cache.stats().queue("limited").unwrap().failures, 1);
}

static HUNG: QueueSite =
    QueueSite::new("blocking::hung", "hung").partitions(2).linger_ms(0).keep_all();

#[tokio::test]
async fn a_worker_ends_although_its_sink_hangs() {
    log::capture();
    let stage = Stage::redis().await;
    let url = stage.server.as_ref().unwrap().0.url();
    let cache = patient().shutdown_limit(Duration::from_millis(100)).connect(&url).unwrap();
    let entered = Arc::new(AtomicUsize::new(0));
    let sink = |entered: Arc<AtomicUsize>, batch: Batch<Step>| async move {
        entered.fetch_add(batch.pushed(), Ordering::SeqCst);
        std::future::pending::<Result<(), String>>().await
    };
    let items = queue(&HUNG, &cache);
    let running =
        Running::start(__private::worker(queue(&HUNG, &cache), Arc::clone(&entered), sink));
    items.push(step(0, 0)).await.unwrap();
    eventually!(entered.load(Ordering::SeqCst) == 1);
    running.stop().await;
    let told = log::about(None);
    assert!(
        told.iter().any(|line| line.contains("\"hung\"") && line.contains("1 item")),
        "{told:#?}"
    );
    // Nothing is lost: the next worker has it.
    let ledger = Ledger::default();
    let running = Running::start(crate::stage::worker(&HUNG, &cache, &ledger));
    eventually!(ledger.of(0) == [0]);
    running.stop().await;
}

static DEADLY: QueueSite = QueueSite::new("blocking::deadly", "deadly")
    .partitions(1)
    .batch(32)
    .linger_ms(0)
    .max_deliveries(6)
    .lease_ms(1_000)
    .keep_all();

/// Its worker ends while the sink has it, as if it had ended the process.
const FATAL: u64 = 5;

async fn an_item_that_ends_its_workers_becomes_a_dead_letter(stage: Stage) {
    let items = queue(&DEADLY, &stage.cache);
    for number in 0..20 {
        items.push(step(0, number)).await.unwrap();
    }
    let (hung, taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let sink = |(hung, taken): (Arc<AtomicUsize>, Arc<Mutex<Vec<u64>>>), steps: Batch<Step>| async move {
        let numbers: Vec<_> = steps.into_items().into_iter().map(|step| step.number).collect();
        if numbers.contains(&FATAL) {
            hung.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        taken.lock().unwrap().extend(numbers);
    };
    let has_all = || taken.lock().unwrap().len() == 19;
    let mut workers = 0;
    while !has_all() {
        workers += 1;
        let environment = (Arc::clone(&hung), Arc::clone(&taken));
        let worker = __private::worker(queue(&DEADLY, &stage.cache), environment, sink);
        let running = Running::start(worker);
        eventually!(hung.load(Ordering::SeqCst) == workers || has_all());
        running.abort().await;
    }
    let expected: Vec<_> = (0..20).filter(|number| *number != FATAL).collect();
    assert_eq!(*taken.lock().unwrap(), expected, "each of the others once, in their order");
    let letters = items.dead_letters(10).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((letter.item.clone(), letter.attempts), (Some(step(0, FATAL)), 6));
    assert!(letter.error.starts_with("6 workers in a row ended"), "{}", letter.error);
    // Three with all, then with 8 and twice with 2 items; by itself three times, and not any more.
    assert_eq!(workers, 10);
}

cache_fixtures::stores::on_both_stores! {
    an_item_that_ends_its_workers_becomes_a_dead_letter
}
