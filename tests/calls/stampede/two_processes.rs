//! What one process does to the callers of another. Two caches over one server are two processes:
//! they share nothing else.

use cache_fixtures::origin::call;
use cache_fixtures::stats;
use cache_runtime::cached;
use cache_testing::barrier::{Counter, Gate, eventually};
use cache_testing::redis::RedisServer;

use crate::stampede::fixture::{connect, results, start};

/// An error that nobody can copy.
#[derive(Debug, PartialEq, Eq)]
struct Broken;

/// Fails in its first runs.
#[derive(Clone, Debug)]
struct Origin {
    runs: Counter,
    gate: Gate,
    failures: usize,
}

impl Origin {
    fn new(failures: usize) -> Self {
        Self { runs: Counter::new(), gate: Gate::new(), failures }
    }

    async fn load(&self) -> Result<usize, Broken> {
        let run = self.runs.count();
        self.gate.pass().await;
        if run <= self.failures { Err(Broken) } else { Ok(run) }
    }
}

#[cached(key = "patient", ttl = 3600, lock(wait = "1h", lease = "1h"), skip(origin))]
async fn patient(origin: &Origin) -> Result<usize, Broken> {
    origin.load().await
}

#[cached(key = "impatient", ttl = 3600, lock(wait = "20ms", lease = "1h"), skip(origin))]
async fn impatient(origin: &Origin) -> Result<usize, Broken> {
    origin.load().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_load_is_taken_over_at_once() {
    let server = RedisServer::start().await;
    let (here, there) = (connect(&server.url()), connect(&server.url()));
    let origin = Origin::new(0);
    let leader = start(&here, 1, call!(patient, origin)).remove(0);
    origin.gate.entered(1).await;
    let callers = start(&there, 100, call!(patient, origin));
    eventually!(stats(&there, "patient").lease_waits == 1);
    leader.abort();
    // Its lease would last for an hour.
    origin.gate.entered(2).await;
    origin.gate.open();
    assert!(results(callers).await.iter().all(|value| *value == Ok(2)));
    assert_eq!(origin.runs.get(), 2);
    assert_eq!(stats(&there, "patient").lease_takeovers, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_load_is_taken_over_at_once() {
    let server = RedisServer::start().await;
    let (here, there) = (connect(&server.url()), connect(&server.url()));
    let origin = Origin::new(1);
    let leader = start(&here, 1, call!(patient, origin));
    origin.gate.entered(1).await;
    let callers = start(&there, 100, call!(patient, origin));
    eventually!(stats(&there, "patient").lease_waits == 1);
    origin.gate.open();
    assert_eq!(results(leader).await, [Err(Broken)]);
    assert!(results(callers).await.iter().all(|value| *value == Ok(2)));
    assert_eq!(origin.runs.get(), 2);
}

/// Nobody hangs where every load fails, whichever process runs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_that_fail_everywhere_leave_nobody_waiting() {
    let server = RedisServer::start().await;
    let (here, there) = (connect(&server.url()), connect(&server.url()));
    let origin = Origin::new(usize::MAX);
    let mut callers = start(&here, 100, call!(patient, origin));
    callers.extend(start(&there, 100, call!(patient, origin)));
    origin.gate.open();
    assert!(results(callers).await.iter().all(|value| *value == Err(Broken)));
    assert_eq!(origin.runs.get(), 200, "each error belongs to one caller");
    eventually!(server.client().await.get("patient").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_impatient_do_not_wait_for_another_process() {
    let server = RedisServer::start().await;
    let (here, there) = (connect(&server.url()), connect(&server.url()));
    let origin = Origin::new(0);
    let leader = start(&here, 1, call!(impatient, origin));
    origin.gate.entered(1).await;
    let callers = start(&there, 10, call!(impatient, origin));
    // Past their patience, while the loader is held: at least one runs the body, and serves itself
    // or the others.
    origin.gate.entered(2).await;
    origin.gate.open();
    assert!(results(callers).await.iter().all(Result::is_ok));
    assert_eq!(results(leader).await, [Ok(1)]);
    assert_eq!(there.get(&impatient_key()).await.unwrap(), Some(1), "the holder of the lease");
    assert_eq!(stats(&there, "impatient").fills_stored, 0);
}
