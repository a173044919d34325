//! Reads and writes of many entries at once.

mod chunks;
mod commands;
mod each;
mod errors;
mod faults;
mod flights;
mod loader;
mod races;
mod reads;
mod stage;
mod tags;
mod thousands;
