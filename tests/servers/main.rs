//! Caches in the servers and the tests of users: which cache a call uses, and what it does without one.

#[path = "../support/mod.rs"]
mod support;

mod actix;
mod axum;
#[path = "../faults/log.rs"]
mod log;
mod switches;
mod tower;
