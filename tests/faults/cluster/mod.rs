//! A cluster: entries on all its nodes, slots that move, and primaries that are lost.
//!
//! The protocol's interleavings are run on a cluster with those on the other stores, in
//! `tests/calls/protocol`.

mod batch;
mod everyday;
mod failover;
mod lost;
mod releases;
mod reshard;
mod start;
mod tags;
