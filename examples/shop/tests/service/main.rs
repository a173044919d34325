//! The service as its users and its operators have it: a process of its own, over HTTP.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod api;
mod browser;
mod ending;
mod metrics;
mod operations;
mod process;
mod troubles;
