//! A hundred entries at once.

use std::collections::HashMap;

use cache_runtime::cached;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Pipeline};
use tokio::task::JoinSet;

use super::hand;
use super::measure::Contender;
use super::ours::{user, user_key};
use super::scenarios::{Bench, ENTRIES, fresh};
use super::subject::User;

/// Entries of one batch.
const BATCH: u64 = 100;

pub(crate) const BATCHED: &str = "batch";

#[cached(batch(id in ids), key = user_key(id), ttl = 3600)]
async fn users(ids: &[u64]) -> HashMap<u64, User> {
    ids.iter().map(|&id| (id, User::new(id))).collect()
}

/// One `MGET`, and one pipeline of `SETEX` for what is missing.
async fn users_by_hand(mut connection: MultiplexedConnection, ids: &[u64]) -> HashMap<u64, User> {
    let keys: Vec<_> = ids.iter().map(|id| format!("hand:user:{id}")).collect();
    let found: Vec<Option<Vec<u8>>> = connection.mget(&keys).await.expect("an answer to MGET");
    let mut users = HashMap::with_capacity(ids.len());
    let mut fills = Pipeline::new();
    for ((id, key), json) in ids.iter().zip(&keys).zip(found) {
        let found = json.and_then(|json| serde_json::from_slice(&json).ok());
        let user = found.unwrap_or_else(|| {
            let user = User::new(*id);
            let json = serde_json::to_vec(&user).expect("a value that encodes");
            fills.set_ex(key, json, hand::TTL).ignore();
            user
        });
        users.insert(*id, user);
    }
    if !fills.is_empty() {
        let () = fills.query_async(&mut connection).await.expect("an answer to SETEX");
    }
    users
}

/// As many single calls, at once.
async fn single_calls(ids: Vec<u64>) -> HashMap<u64, User> {
    let mut calls: JoinSet<_> =
        ids.into_iter().map(|id| async move { (id, user(id).await) }).collect();
    let mut users = HashMap::new();
    while let Some(call) = calls.join_next().await {
        users.extend(call);
    }
    users
}

impl Bench {
    pub(crate) fn batches(&self) {
        for callers in [1, 16] {
            self.compare(
                &format!("batches of {BATCH} hits, 300 B each, callers: {callers}"),
                self.batches_of_hits(callers),
            );
        }
        self.compare(
            &format!("batches of {BATCH} misses, 300 B each, callers: 1"),
            self.batches_of_misses(1),
        );
    }

    pub(crate) fn batches_of_hits(&self, callers: u64) -> Vec<Contender<'_>> {
        let ids = |argument: u64| batch(argument * BATCH % ENTRIES);
        self.runtime.block_on(async {
            for argument in 0..ENTRIES / BATCH {
                users(&ids(argument)).await;
                users_by_hand(self.connection.clone(), &ids(argument)).await;
            }
        });
        self.batches_of(callers, ids)
    }

    pub(crate) fn batches_of_misses(&self, callers: u64) -> Vec<Contender<'_>> {
        self.batches_of(callers, |_| batch(fresh(BATCH)))
    }

    fn batches_of(
        &self,
        callers: u64,
        ids: impl Fn(u64) -> Vec<u64> + Copy + Send + Sync + 'static,
    ) -> Vec<Contender<'_>> {
        vec![
            Contender::new("MGET by hand", move || {
                self.by_hand(callers, move |connection, argument| async move {
                    users_by_hand(connection, &ids(argument)).await
                })
            }),
            Contender::new(BATCHED, move || {
                self.cached(callers, move |argument| async move { users(&ids(argument)).await })
            }),
            Contender::new("single calls", move || {
                self.cached(callers, move |argument| single_calls(ids(argument)))
            }),
        ]
    }
}

fn batch(first: u64) -> Vec<u64> {
    (first..first + BATCH).collect()
}
