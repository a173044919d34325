//! The same functions as in `ours`, as they are written by hand: `redis` with its default
//! configuration, and `serde_json`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::subject::{Page, User};

pub(crate) const TTL: u64 = 3600;

pub(crate) async fn user(connection: MultiplexedConnection, id: u64) -> User {
    read_through(connection, format!("hand:user:{id}"), async || User::new(id)).await
}

pub(crate) async fn page(connection: MultiplexedConnection, number: u64) -> Page {
    read_through(connection, format!("hand:page:{number}"), async || Page::new(number)).await
}

pub(crate) async fn slow_user(connection: MultiplexedConnection, id: u64, body: Duration) -> User {
    let load = async || {
        tokio::time::sleep(body).await;
        User::new(id)
    };
    read_through(connection, format!("hand:slow:{id}"), load).await
}

async fn read_through<T: Serialize + DeserializeOwned>(
    mut connection: MultiplexedConnection,
    key: String,
    load: impl AsyncFnOnce() -> T,
) -> T {
    let found: Option<Vec<u8>> = connection.get(&key).await.expect("an answer to GET");
    if let Some(value) = found.and_then(|json| serde_json::from_slice(&json).ok()) {
        return value;
    }
    let value = load().await;
    let json = serde_json::to_vec(&value).expect("a value that encodes");
    let () = connection.set_ex(&key, json, TTL).await.expect("an answer to SETEX");
    value
}

/// A map behind a lock, as is quickly written where there is no Redis. Never forgets.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<String, Arc<[u8]>>>);

impl Memory {
    pub(crate) fn user(&self, id: u64) -> User {
        self.read_through(format!("user:{id}"), || User::new(id))
    }

    fn read_through<T>(&self, key: String, load: impl FnOnce() -> T) -> T
    where
        T: Serialize + DeserializeOwned,
    {
        let found = self.entries().get(&key).cloned();
        if let Some(value) = found.and_then(|json| serde_json::from_slice(&json).ok()) {
            return value;
        }
        let value = load();
        let json = serde_json::to_vec(&value).expect("a value that encodes");
        self.entries().insert(key, json.into());
        value
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Arc<[u8]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
