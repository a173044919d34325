//! A cluster: entries on all its nodes, slots that move, and primaries that are lost.
//!
//! The protocol's interleavings are run on a cluster with those on the other stores, in `tests/protocol`.

#[path = "../faults/database.rs"]
mod database;
#[expect(dead_code, reason = "the tests of faults need more of it")]
#[path = "../faults/driver.rs"]
mod driver;
#[path = "../faults/log.rs"]
mod log;
#[expect(dead_code, reason = "the tests of faults need more of it")]
#[path = "../faults/report.rs"]
mod report;
#[path = "../faults/stalls.rs"]
mod stalls;
#[path = "../support/mod.rs"]
mod support;

mod batch;
mod everyday;
mod failover;
mod lost;
mod releases;
mod reshard;
mod start;
mod tags;
