//! Reads and writes of many entries at once.

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod each;
mod faults;
mod flights;
mod races;
mod reads;
mod stage;
mod tags;
