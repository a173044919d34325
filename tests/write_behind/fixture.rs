//! What the tests have in common: a queue of steps of counters, and sinks that remember.

use std::sync::{Arc, Mutex};

pub use cache_fixtures::running::Running;
use cache_fixtures::stores::{OnStore, Store};
use cache_runtime::__private::QueueSite;
use cache_runtime::queue::Position;
use cache_runtime::{__private, Batch, Cache, Queue, Worker};
use cache_testing::barrier::{Gate, Hold, eventually};
use serde::{Deserialize, Serialize};

/// Step `number` of `counter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub counter: u64,
    pub number: u64,
}

pub fn step(counter: u64, number: u64) -> Step {
    Step { counter, number }
}

/// No machine stands still for so long that a worker loses what it owns; whoever waits for that
/// waits for so long.
pub const LEASE_MS: u64 = 4_000;

pub static STEPS: QueueSite = QueueSite::new("fixture::steps", "steps")
    .partitions(4)
    .linger_ms(5)
    .lease_ms(LEASE_MS)
    .push_timeout_ms(60_000)
    .keep_all();

pub static CAREFUL: QueueSite = QueueSite::new("fixture::careful", "careful")
    .partitions(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .push_timeout_ms(60_000)
    .unavailable_is_error()
    .keep_all();

pub static HASTY: QueueSite = QueueSite::new("fixture::hasty", "hasty")
    .partitions(1)
    .push_timeout_ms(300)
    .unavailable_is_error()
    .keep_all();

pub static PATIENT: QueueSite = QueueSite::new("fixture::patient", "patient")
    .partitions(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .push_timeout_ms(60_000)
    .keep_all();

pub static REPLICATED: QueueSite = QueueSite::new("fixture::replicated", "replicated")
    .partitions(1)
    .push_timeout_ms(3_000)
    .replicas(1)
    .keep_all();

/// A queue of steps that are kept in the order of their counters.
pub fn queue(site: &'static QueueSite, cache: &Cache) -> Queue<Step> {
    __private::queue::<Step>(site).key(|step, key| key.part(&step.counter)).cache(cache).done()
}

/// Remembers what it is given.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    state: Arc<Mutex<State>>,
    /// Before a batch is taken.
    taking: Hold,
}

#[derive(Debug, Default)]
struct State {
    steps: Vec<Step>,
    versions: Vec<i64>,
    batches: Vec<usize>,
    positions: Vec<Position>,
    refuses: Option<fn(&Step) -> bool>,
}

impl Ledger {
    /// The sink.
    pub async fn take(self, batch: Batch<Step>) -> Result<(), String> {
        self.taking.pass().await;
        let position = batch.position();
        let items: Vec<_> = batch.into_iter().collect();
        let refuses = self.state.lock().unwrap().refuses;
        if let Some(refuses) = refuses
            && let Some(refused) = items.iter().find(|versioned| refuses(&versioned.item))
        {
            return Err(format!("no step {}", refused.item.number));
        }
        let mut state = self.state.lock().unwrap();
        state.positions.extend(position);
        state.batches.push(items.len());
        for versioned in items {
            state.steps.push(versioned.item);
            state.versions.push(versioned.version);
        }
        Ok(())
    }

    /// Fails every batch that holds such a step, from now on.
    pub fn refuse(&self, refuses: fn(&Step) -> bool) {
        self.state.lock().unwrap().refuses = Some(refuses);
    }

    /// Holds every batch before it is taken, from now on.
    pub fn hold(&self) -> Gate {
        self.taking.begin()
    }

    /// Fails no more.
    pub fn accept(&self) {
        self.state.lock().unwrap().refuses = None;
    }

    pub fn len(&self) -> usize {
        self.state.lock().unwrap().steps.len()
    }

    pub fn batches(&self) -> Vec<usize> {
        self.state.lock().unwrap().batches.clone()
    }

    /// Of the batches, as they came.
    pub fn positions(&self) -> Vec<Position> {
        self.state.lock().unwrap().positions.clone()
    }

    pub fn versions(&self) -> Vec<i64> {
        self.state.lock().unwrap().versions.clone()
    }

    /// Of one counter's steps, as they came.
    pub fn versions_of(&self, counter: u64) -> Vec<i64> {
        let state = self.state.lock().unwrap();
        let steps = state.steps.iter().zip(&state.versions);
        steps.filter(|(step, _)| step.counter == counter).map(|(_, version)| *version).collect()
    }

    /// The numbers of one counter's steps, as they came.
    pub fn of(&self, counter: u64) -> Vec<u64> {
        let state = self.state.lock().unwrap();
        state.steps.iter().filter(|step| step.counter == counter).map(|step| step.number).collect()
    }
}

/// A worker over a ledger.
pub fn worker(site: &'static QueueSite, cache: &Cache, ledger: &Ledger) -> Worker {
    __private::worker(queue(site, cache), ledger.clone(), Ledger::take)
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    pub store: Store,
}

impl OnStore for Fixture {
    const KEY: &str = "wb:{steps}:workers";

    fn on(store: Store) -> Self {
        Self { cache: store.cache(), store }
    }
}

impl Fixture {
    /// Waits until a queue that was pushed to is known to all: nothing more is sent for that.
    pub async fn is_listed(&self, queue: &str) {
        let is_listed = async || {
            self.cache.queues().await.unwrap().iter().any(|summary| summary.queue == queue)
        };
        eventually!(is_listed().await);
    }

    /// A cache over the same store, as another process has it; a memory is not shared.
    pub fn another_cache(&self) -> Cache {
        self.store.cache()
    }
}
