//! `<x:hash>`: equal values find each other's entry, different ones never do, and what cannot be
//! told apart is refused.

#![allow(clippy::unused_async, reason = "a sink is async, whatever it does")]

mod refusals;
mod values;
