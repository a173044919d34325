//! What the tests of all crates share: real servers, real child processes, faults and gates.
//!
//! Nothing here knows the cache, so that its own unit tests can use it too; what does is in
//! `tests/fixtures`. Nothing here sleeps in the hope that something has happened meanwhile:
//! whatever waits, waits for a condition and fails after [`LIMIT`].

use std::time::Duration;

pub mod barrier;
pub mod children;
pub mod dice;
pub mod faketime;
pub mod history;
pub mod log;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod stalls;
#[cfg(test)]
mod tests;

/// How long a test waits for what must happen. Far longer than it takes on any machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Waits for `future`, and fails with `what` if it takes longer than [`LIMIT`].
pub async fn within_limit<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(elapsed) => panic!("{what}: {elapsed} after {LIMIT:?}"),
    }
}
