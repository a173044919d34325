//! Write-behind: what is pushed arrives, in the order of its keys, whatever fails meanwhile.

#[path = "../faults/log.rs"]
#[expect(dead_code, reason = "what is said of servers is no concern here")]
mod log;
#[path = "../support/mod.rs"]
mod support;

mod basics;
mod cluster;
mod failover;
mod faults;
mod positions;
mod pushes;
mod replicated;
mod rights;
mod sentinel;
mod soak;
mod stage;
mod watch;
mod workers;
