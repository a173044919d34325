//! Reads and writes of many entries at once.

mod chunks;
mod commands;
mod each;
mod errors;
mod faults;
mod fixture;
mod flights;
mod loader;
mod races;
mod reads;
mod tags;
mod thousands;
