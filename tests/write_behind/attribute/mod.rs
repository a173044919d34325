//! `#[write_behind]` as its users meet it: sinks of every shape, what its documentation promises,
//! on both stores.
#![deny(warnings, clippy::pedantic)]
#![allow(clippy::unused_async, reason = "sinks are async, whatever they do")]

mod access;
mod direct;
mod exact;
mod fixture;
mod guide;
mod kinds;
mod puts;
mod shapes;
