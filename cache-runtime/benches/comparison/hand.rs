//! The same functions as in `ours`, as they are written by hand: `redis` with its default
//! configuration, and `serde_json`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, RedisResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::subject::{Page, User};

pub(crate) const TTL: u64 = 3600;

pub(crate) async fn user(connection: MultiplexedConnection, id: u64) -> User {
    let user = read_through(connection, format!("hand:user:{id}"), async || User::new(id)).await;
    user.expect("an answer")
}

pub(crate) async fn page(connection: MultiplexedConnection, number: u64) -> Page {
    let page =
        read_through(connection, format!("hand:page:{number}"), async || Page::new(number)).await;
    page.expect("an answer")
}

pub(crate) async fn read_through<T: Serialize + DeserializeOwned>(
    mut connection: MultiplexedConnection,
    key: String,
    load: impl AsyncFnOnce() -> T,
) -> RedisResult<T> {
    let found: Option<Vec<u8>> = connection.get(&key).await?;
    if let Some(value) = found.and_then(|json| serde_json::from_slice(&json).ok()) {
        return Ok(value);
    }
    let value = load().await;
    let json = serde_json::to_vec(&value).expect("a value that encodes");
    let () = connection.set_ex(&key, json, TTL).await?;
    Ok(value)
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
