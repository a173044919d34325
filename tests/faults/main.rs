//! Faults of a real Redis, with readers and writers running meanwhile.
//!
//! Each test is one row of the documentation's page "When Redis fails". What they have in common is asserted by the
//! [driver](driver::Driver).

#[path = "../support/mod.rs"]
mod support;

mod access;
mod cancellation;
mod clock;
mod costs;
mod credentials;
mod data;
mod database;
mod driver;
mod driver_works;
mod journal;
mod log;
mod logins;
mod memory;
mod network;
mod origin;
mod permissions;
mod report;
mod restart;
mod runtimes;
mod scripts;
mod server;
mod stalls;
mod tls;
