//! What the load generators of the examples share: a client that asks over HTTP, choices that a seed
//! repeats, and a Redis of their own.

pub mod client;
pub mod dice;
pub mod redis;
