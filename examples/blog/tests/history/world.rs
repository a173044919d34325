//! What all visitors share: where they ask, what there is, and what has been recorded.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use blog::Size;
use blog::types::Counted;
use cache_testing::barrier::Patience;
use cache_testing::history::{History, Time};
use cache_testing::within_limit;
use tokio::task::JoinSet;
use visitors::client::{Client, Request};

/// What all visitors share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) addresses: [SocketAddr; 2],
    begin: Instant,
    pub(crate) size: Size,
    /// Who has written what is not of the first articles.
    pub(crate) authors: Mutex<HashMap<i64, i64>>,
    pub(crate) newest: AtomicI64,
    /// Viewers who have not looked at anything yet.
    pub(crate) strangers: AtomicI64,
    pub(crate) operations: AtomicU64,
    pub(crate) over: AtomicBool,
    pub(crate) history: Mutex<History>,
    /// Writes that were not acknowledged when they returned.
    pub(crate) late: AtomicU64,
    pub(crate) pending: Mutex<JoinSet<()>>,
}

impl World {
    pub(crate) fn new(addresses: [SocketAddr; 2], size: Size) -> Self {
        Self {
            addresses,
            begin: Instant::now(),
            size,
            authors: Mutex::default(),
            newest: AtomicI64::new(size.articles),
            strangers: AtomicI64::new(1_000),
            operations: AtomicU64::new(0),
            over: AtomicBool::new(false),
            history: Mutex::default(),
            late: AtomicU64::new(0),
            pending: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap()
    }

    /// Waits until so many more operations are done.
    pub(crate) async fn operations(&self, more: u64) {
        let until = self.operations.load(Ordering::Relaxed) + more;
        let patience = Patience::new();
        while self.operations.load(Ordering::Relaxed) < until {
            patience.pause("the visitors go on").await;
        }
    }

    /// Waits until so many more values are found in the cache, by each process.
    pub(crate) async fn hits(&self, more: u64) {
        for address in self.addresses {
            let mut client = Client::connect(address).await.unwrap();
            let patience = Patience::new();
            let until = counted(&mut client).await.hits + more;
            while counted(&mut client).await.hits < until {
                patience.pause("values are found in the cache").await;
            }
        }
    }

    /// Waits until all writes are acknowledged.
    pub(crate) async fn settle(&self) {
        let mut pending = std::mem::take(&mut *self.pending.lock().unwrap());
        while let Some(ended) = pending.join_next().await {
            ended.unwrap();
        }
    }

    /// None of an article whose answer has not arrived: a newer one's may have come before it.
    pub(crate) fn author_of(&self, article: i64) -> Option<i64> {
        let is_seeded = article <= self.size.articles;
        let seeded = is_seeded.then(|| self.size.author_of(article));
        seeded.or_else(|| self.authors.lock().unwrap().get(&article).copied())
    }
}

pub(crate) async fn counted(client: &mut Client) -> Counted {
    let request = Request::new("GET", "/counted", None);
    let answer = within_limit("an answer", client.send(&request)).await;
    answer.and_then(|answer| answer.json()).unwrap()
}
