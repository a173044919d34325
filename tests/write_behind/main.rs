//! Write-behind: what is pushed arrives, in the order of its keys, whatever fails meanwhile.

mod attribute;
mod basics;
mod blocking;
mod clocks;
mod cluster;
mod detour;
mod failover;
mod faults;
mod fixture;
mod kinds;
mod layouts;
mod letters;
mod manage;
mod many;
mod measured;
mod positions;
mod pushes;
mod replicated;
mod rights;
mod schemas;
mod sentinel;
mod soak;
mod stuck;
mod watch;
mod workers;
