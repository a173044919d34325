//! What the integration tests share: real servers, real child processes, faults and gates.
//!
//! A test file says `mod support;` (a test in a directory of its own `#[path = "../support/mod.rs"]
//! mod support;`). Nothing here sleeps in the hope that something has happened meanwhile: whatever
//! waits, waits for a condition and fails after [`LIMIT`].
#![allow(
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    unused_imports,
    unused_macros,
    reason = "every test program compiles all of this and uses a part; helpers fail by panicking"
)]

use std::time::Duration;

pub mod barrier;
pub mod children;
pub mod faketime;
mod patience;
mod ports;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod stores;

pub use patience::{AGES, patient};

/// How long a test waits for what must happen. Far longer than it takes on any machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Waits for `future`, and fails with `what` if it takes longer than [`LIMIT`].
pub async fn within_limit<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(elapsed) => panic!("{what}: {elapsed} after {LIMIT:?}"),
    }
}
