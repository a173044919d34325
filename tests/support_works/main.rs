//! The helpers of the other tests do what they say.

#[path = "../support/mod.rs"]
mod support;

mod barrier;
mod children;
mod proxy;
mod redis;
mod redis_faults;
