//! Against a real server.

mod cluster;
mod fake;
mod faults;
#[expect(
    clippy::allow_attributes,
    reason = "lints look into expansions in the crate that the macros are from"
)]
mod idle;
mod many;
mod operations;
mod protocol;
mod refusals;
#[cfg(feature = "tracing")]
mod secrecy;
mod sentinels;
mod sweep;
mod writers;

use std::time::Duration;

use bytes::Bytes;
use cache_testing::barrier::until;
use cache_testing::redis::RedisServer;
use tokio::time::Instant;

use self::operations::{Claim, End, Filling};
use crate::record::token::Token;
use crate::record::{self, Found, ValueHeader};
use crate::store::redis::{ConnectionSettings, RedisStore, ServerUrl, Sweep};
use crate::store::{Acquired, Failover, Fill, Name};
use crate::support::budget::Deadline;

const LEASE: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(600);
const NONE: Duration = Duration::ZERO;

fn store(server: &RedisServer) -> RedisStore {
    store_at(&server.url())
}

fn store_at(url: &str) -> RedisStore {
    store_that(url, Failover::Trust)
}

fn store_that(url: &str, failover: Failover) -> RedisStore {
    let distrust = failover == Failover::Distrust;
    let settings =
        ConnectionSettings { distrust, ..ConnectionSettings::within(Duration::from_millis(100)) };
    RedisStore::connect(url, settings).unwrap()
}

/// Long enough that only a hang exceeds it.
fn soon() -> Deadline {
    Instant::now() + Duration::from_secs(20)
}

/// What a caller grants in practice.
fn briefly() -> Deadline {
    Instant::now() + Duration::from_millis(50)
}

fn fill(name: Name<'_>, token: Token, payload: &str) -> Fill {
    let header = ValueHeader { key: name.hash, token, cost_ms: 7, version: 1, codec: b'J' };
    let mut record = record::value(header, &[], None);
    record.extend_from_slice(payload.as_bytes());
    Fill { record, fresh: TTL, ttl: TTL }
}

/// Ends that store nothing.
fn ends<'a>(names: &[Name<'a>]) -> Vec<End<'a>> {
    names.iter().map(|name| End { name: *name, value: None }).collect()
}

fn read(name: Name<'_>, record: Bytes) -> Found {
    record::read(record, name.hash)
}

/// The payload in the key, if there is a value.
async fn payload(store: &RedisStore, name: Name<'_>) -> Option<String> {
    match read(name, store.get(name, soon()).await.unwrap()?) {
        Found::Value(value) => Some(String::from_utf8(value.payload().to_vec()).unwrap()),
        _ => None,
    }
}

async fn acquire(store: &RedisStore, name: Name<'_>, token: Token) -> Acquired {
    store.acquire(name, token, LEASE, None, soon()).await.unwrap()
}

/// Loads and stores `payload` the regular way.
async fn put(store: &RedisStore, name: Name<'_>, payload: &str) -> Token {
    let token = Token::random();
    assert!(matches!(acquire(store, name, token).await, Acquired::Leased));
    assert!(store.fill(name, fill(name, token, payload), soon()).await.unwrap());
    token
}
