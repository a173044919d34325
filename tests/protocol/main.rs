//! The protocol's interleavings, forced with gates in the bodies, on both stores.

#[path = "../support/mod.rs"]
mod support;

mod loads;
mod orders;
mod stage;
mod tags;
mod through;
mod transactions;
mod writes;
