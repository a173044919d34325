//! The program `cachectl`, run against real servers. All of them have a password, which no output
//! may show.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cluster;
mod dead_letters;
mod explain;
mod input;
mod invalidate;
mod program;
mod service;
mod stats;
mod watch;
