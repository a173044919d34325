//! The protocol's interleavings, forced with gates in the bodies, on both stores.

mod afterwards;
mod by_hand;
mod dropped;
mod loads;
mod orders;
mod stage;
mod tags;
mod through;
mod transactions;
mod writes;
