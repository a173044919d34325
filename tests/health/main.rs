//! Why nothing is cached: what the program, the statistics and the log say of a store that cannot be used.

#[path = "../faults/log.rs"]
mod log;
#[path = "../support/mod.rs"]
mod support;

mod causes;
mod endings;
mod first_use;
mod runtimes;
mod undelivered;
