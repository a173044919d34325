//! Clusters that the tests of a program use one after the other, because a start takes seconds.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Client, RedisCluster, RedisServer};

/// Those that no test uses now. They end with the program.
static FREE: Mutex<Vec<RedisCluster>> = Mutex::new(Vec::new());

fn free() -> MutexGuard<'static, Vec<RedisCluster>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cluster that is this test's alone until this value is dropped.
#[derive(Debug)]
pub struct SharedCluster(Option<RedisCluster>);

impl SharedCluster {
    /// An empty cluster: one that another test has left, or a new one.
    pub async fn take() -> Self {
        let left = free().pop();
        let cluster = match left {
            Some(cluster) => cluster,
            None => RedisCluster::start().await,
        };
        let cluster = Self(Some(cluster));
        for node in cluster.primaries() {
            node.client().await.flush_all().await;
        }
        cluster
    }
}

impl Deref for SharedCluster {
    type Target = RedisCluster;

    fn deref(&self) -> &RedisCluster {
        self.0.as_ref().expect("it is there until the drop")
    }
}

impl Drop for SharedCluster {
    fn drop(&mut self) {
        free().extend(self.0.take());
    }
}

/// What a cache is connected to.
#[derive(Debug)]
pub enum Backend {
    /// One server, that ends with this value.
    Single(RedisServer),
    /// Three primaries.
    Cluster(SharedCluster),
}

impl Backend {
    /// Where clients connect.
    pub fn url(&self) -> String {
        match self {
            Self::Single(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// The one server. Fails for a cluster.
    pub fn single(&self) -> &RedisServer {
        match self {
            Self::Single(server) => server,
            Self::Cluster(cluster) => panic!("{} is a cluster", cluster.url()),
        }
    }

    /// A client of the node that has a key; there is only one where it is no cluster.
    pub async fn client(&self, key: &str) -> Client {
        match self {
            Self::Single(server) => server.client().await,
            Self::Cluster(cluster) => cluster.node(cluster.home(key).await).client().await,
        }
    }
}
