//! Write-behind: what is pushed arrives, in the order of its keys, whatever fails meanwhile.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod faults;
mod pushes;
mod soak;
mod stage;
mod workers;
