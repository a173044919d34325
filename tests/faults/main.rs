//! Faults of a real Redis, with readers and writers running meanwhile.
//!
//! Each test is one row of the documentation's page "When Redis fails". What they have in common is asserted by the
//! [driver](cache_fixtures::driver::Driver).

mod access;
mod cancellation;
mod clock;
mod costs;
mod credentials;
mod data;
mod journal;
mod logins;
mod memory;
mod network;
mod origin;
mod permissions;
mod restart;
mod runtimes;
mod scripts;
mod server;
mod tls;
