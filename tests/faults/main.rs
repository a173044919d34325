//! Faults of a real Redis, most of them with readers and writers running meanwhile.
//!
//! The tests of most modules are a row each of the documentation's page "When Redis fails". What
//! they have in common is asserted by the [driver](cache_fixtures::driver::Driver).

mod access;
mod cancellation;
mod clock;
mod cluster;
mod costs;
mod credentials;
mod crowds;
mod data;
mod failover;
mod health;
mod journal;
mod large;
mod logins;
mod memory;
mod network;
mod origin;
mod overload;
mod permissions;
mod restart;
mod runtimes;
mod scripts;
mod server;
mod tls;
mod undelivered;
