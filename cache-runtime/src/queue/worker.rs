//! Delivers what was pushed.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::sink::{Sink, SinkResult};
use super::{Batch, Queue};

type Engine = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Hands the items of a queue to its sink, in batches.
pub struct Worker {
    queue: &'static str,
    engine: Engine,
    stop: Arc<tokio::sync::Notify>,
}

/// A worker of a queue: `sink` gets a clone of `environment` with every batch.
pub fn worker<T, E, F, D>(queue: Queue<T>, environment: E, sink: F) -> Worker
where
    T: Serialize + DeserializeOwned + Send + 'static,
    E: Clone + Send + Sync + 'static,
    F: Fn(E, Batch<T>) -> D + Send + Sync + 'static,
    D: Future<Output: SinkResult> + Send + 'static,
{
    let sink = Sink::new(environment, sink);
    let stop = Arc::new(tokio::sync::Notify::new());
    let stopped = Arc::clone(&stop);
    let name = queue.definition.site.name;
    let engine = Box::pin(async move {
        let _sink = (queue, sink);
        stopped.notified().await;
    });
    Worker { queue: name, engine, stop }
}

impl Worker {
    /// Delivers until `shutdown` ends.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => self.stop.notify_one(),
            () = self.engine.as_mut() => return,
        }
        self.engine.await;
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worker").field(&self.queue).finish()
    }
}
