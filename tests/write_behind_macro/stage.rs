//! A cache over either store, and workers at work.

use cache_fixtures::patient;
use cache_runtime::{Cache, Queue, Worker};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub page: String,
    pub count: u64,
}

impl View {
    pub fn of(page: &str) -> Self {
        Self { page: page.to_owned(), count: 1 }
    }

    /// Two views of one page as one.
    pub fn add(&mut self, newer: &Self) {
        self.count += newer.count;
    }
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Stage {
    pub cache: Cache,
    /// None with the embedded store.
    _server: Option<RedisServer>,
}

impl Stage {
    pub fn embedded() -> Self {
        Self { cache: Cache::in_memory(), _server: None }
    }

    pub async fn redis() -> Self {
        let server = RedisServer::start().await;
        let cache = patient().namespace("stage").connect(&server.url()).unwrap();
        Self { cache, _server: Some(server) }
    }
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
}

/// Waits until everything that was pushed is delivered or a dead letter.
pub async fn settled<T>(queue: &Queue<T>)
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    eventually!({
        let length = queue.length().await.unwrap();
        length.waiting + length.pending == 0
    });
}

/// Makes a test of each function, once on the embedded store and once on Redis.
macro_rules! on_both_stores {
    ($($name:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let stage = $crate::stage::Stage::embedded();
                stage.cache.clone().scope(super::$name(stage)).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let stage = $crate::stage::Stage::redis().await;
                stage.cache.clone().scope(super::$name(stage)).await;
            })*
        }
    };
}
pub(crate) use on_both_stores;
