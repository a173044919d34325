//! The protocol's interleavings, forced with gates in the bodies, on both stores.

mod afterwards;
mod before;
mod by_hand;
mod dropped;
mod fixture;
mod loads;
mod orders;
mod tags;
mod through;
mod transactions;
mod writes;
