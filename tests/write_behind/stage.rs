//! What the tests have in common: a queue of steps of counters, and sinks that remember.

use std::sync::{Arc, Mutex};

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_runtime::queue::Position;
use cache_runtime::{__private, Batch, Cache, Queue, Worker};
use cache_testing::barrier::{Gate, eventually};
use cache_testing::redis::{Backend, Client, RedisCluster, RedisServer};
use cache_testing::within_limit;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Step `number` of `counter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub counter: u64,
    pub number: u64,
}

pub fn step(counter: u64, number: u64) -> Step {
    Step { counter, number }
}

/// No machine stands still for so long that a worker loses what it owns; whoever waits for that waits for so long.
pub const LEASE_MS: u64 = 4_000;

pub static STEPS: QueueSite = QueueSite::new("stage::steps", "steps")
    .partitions(4)
    .linger_ms(5)
    .lease_ms(LEASE_MS)
    .push_timeout_ms(60_000)
    .keep_all();

pub static CAREFUL: QueueSite = QueueSite::new("stage::careful", "careful")
    .partitions(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .push_timeout_ms(60_000)
    .unavailable_is_error()
    .keep_all();

pub static HASTY: QueueSite = QueueSite::new("stage::hasty", "hasty")
    .partitions(1)
    .push_timeout_ms(300)
    .unavailable_is_error()
    .keep_all();

pub static PATIENT: QueueSite = QueueSite::new("stage::patient", "patient")
    .partitions(1)
    .linger_ms(0)
    .lease_ms(LEASE_MS)
    .push_timeout_ms(60_000)
    .keep_all();

pub static REPLICATED: QueueSite = QueueSite::new("stage::replicated", "replicated")
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
pub struct Ledger(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    steps: Vec<Step>,
    versions: Vec<i64>,
    batches: Vec<usize>,
    positions: Vec<Position>,
    refuses: Option<fn(&Step) -> bool>,
    gate: Option<Gate>,
}

impl Ledger {
    /// The sink.
    pub async fn take(self, batch: Batch<Step>) -> Result<(), String> {
        let gate = self.0.lock().unwrap().gate.clone();
        if let Some(gate) = gate {
            gate.pass().await;
        }
        let position = batch.position();
        let items: Vec<_> = batch.into_iter().collect();
        let refuses = self.0.lock().unwrap().refuses;
        if let Some(refuses) = refuses
            && let Some(refused) = items.iter().find(|versioned| refuses(&versioned.item))
        {
            return Err(format!("no step {}", refused.item.number));
        }
        let mut state = self.0.lock().unwrap();
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
        self.0.lock().unwrap().refuses = Some(refuses);
    }

    /// Holds every batch before it is taken, from now on.
    pub fn hold(&self) -> Gate {
        let gate = Gate::new();
        self.0.lock().unwrap().gate = Some(gate.clone());
        gate
    }

    /// Fails no more.
    pub fn accept(&self) {
        self.0.lock().unwrap().refuses = None;
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().steps.len()
    }

    pub fn batches(&self) -> Vec<usize> {
        self.0.lock().unwrap().batches.clone()
    }

    /// Of the batches, as they came.
    pub fn positions(&self) -> Vec<Position> {
        self.0.lock().unwrap().positions.clone()
    }

    pub fn versions(&self) -> Vec<i64> {
        self.0.lock().unwrap().versions.clone()
    }

    /// Of one counter's steps, as they came.
    pub fn versions_of(&self, counter: u64) -> Vec<i64> {
        let state = self.0.lock().unwrap();
        let steps = state.steps.iter().zip(&state.versions);
        steps.filter(|(step, _)| step.counter == counter).map(|(_, version)| *version).collect()
    }

    /// The numbers of one counter's steps, as they came.
    pub fn of(&self, counter: u64) -> Vec<u64> {
        let state = self.0.lock().unwrap();
        state.steps.iter().filter(|step| step.counter == counter).map(|step| step.number).collect()
    }
}

/// A worker over a ledger.
pub fn worker(site: &'static QueueSite, cache: &Cache, ledger: &Ledger) -> Worker {
    __private::worker(queue(site, cache), ledger.clone(), Ledger::take)
}

/// A worker at work.
#[derive(Debug)]
pub struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start(worker: Worker) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(worker.run(async {
            _ = stopped.await;
        }));
        Self { stop, task }
    }

    /// Shuts it down, and waits until it has ended.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        within_limit("a worker ends", self.task).await.unwrap();
    }

    /// Drops it where it stands.
    pub async fn abort(self) {
        self.task.abort();
        _ = self.task.await;
    }
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Stage {
    pub cache: Cache,
    /// None with the embedded store.
    pub server: Option<(Backend, Client)>,
}

impl Stage {
    pub fn embedded() -> Self {
        Self { cache: Cache::in_memory(), server: None }
    }

    pub async fn redis() -> Self {
        let server = RedisServer::start().await;
        let client = server.client().await;
        let cache = patient().connect(&server.url()).unwrap();
        Self { cache, server: Some((Backend::Single(server), client)) }
    }

    /// A cluster that others have used before, but not any more.
    pub async fn cluster(cluster: &RedisCluster) -> Self {
        let (server, client) = cluster.anew("wb:{steps}:workers").await;
        let cache = patient().connect(&server.url()).unwrap();
        Self { cache, server: Some((server, client)) }
    }

    /// Waits until a queue that was pushed to is known to all: nothing more is sent for that.
    pub async fn is_listed(&self, queue: &str) {
        let is_listed = async || {
            self.cache.queues().await.unwrap().iter().any(|summary| summary.queue == queue)
        };
        eventually!(is_listed().await);
    }

    /// A cache over the same store, as another process has it; a memory is not shared.
    pub fn another_cache(&self) -> Cache {
        match &self.server {
            Some((server, _)) => patient().connect(&server.url()).unwrap(),
            None => Cache::in_memory(),
        }
    }
}
