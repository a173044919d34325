//! A hundred entries at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::cached;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Pipeline};
use tokio::task::JoinSet;

use super::hand;
use super::measure::{Contender, compare};
use super::ours::{user, user_key};
use super::scenarios::{Bench, ENTRIES};
use super::subject::User;

/// Entries of one batch.
const BATCH: u64 = 100;

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
        let ids = |argument: u64| -> Vec<u64> {
            (0..BATCH).map(|n| (argument * BATCH + n) % ENTRIES).collect()
        };
        self.runtime.block_on(async {
            for argument in 0..ENTRIES / BATCH {
                users(&ids(argument)).await;
                users_by_hand(self.connection.clone(), &ids(argument)).await;
            }
        });
        for callers in [1, 16] {
            compare(
                &format!("batches of {BATCH} hits, 300 B each, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("MGET by hand", || {
                        self.by_hand(callers, move |connection, argument| async move {
                            users_by_hand(connection, &ids(argument)).await
                        })
                    }),
                    Contender::new("batch", || {
                        self.cached(
                            callers,
                            move |argument| async move { users(&ids(argument)).await },
                        )
                    }),
                    Contender::new("single calls", || {
                        self.cached(callers, move |argument| single_calls(ids(argument)))
                    }),
                ],
            );
        }
        // No argument twice.
        let fresh = Arc::new(AtomicU64::new(ENTRIES));
        let next = move || {
            let first = fresh.fetch_add(BATCH, Ordering::Relaxed);
            (first..first + BATCH).collect::<Vec<_>>()
        };
        let (one, other, third) = (next.clone(), next.clone(), next);
        compare(
            &format!("batches of {BATCH} misses, 300 B each, callers: 1"),
            self.effort.rounds,
            vec![
                Contender::new("MGET by hand", || {
                    let next = one.clone();
                    self.by_hand(1, move |connection, _| {
                        let ids = next();
                        async move { users_by_hand(connection, &ids).await }
                    })
                }),
                Contender::new("batch", || {
                    let next = other.clone();
                    self.cached(1, move |_| {
                        let ids = next();
                        async move { users(&ids).await }
                    })
                }),
                Contender::new("single calls", || {
                    let next = third.clone();
                    self.cached(1, move |_| single_calls(next()))
                }),
            ],
        );
    }
}
