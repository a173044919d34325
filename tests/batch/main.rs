//! Reads and writes of many entries at once.

mod each;
#[path = "../support/mod.rs"]
mod support;
