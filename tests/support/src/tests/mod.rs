//! The helpers of the other tests do what they say.

mod barrier;
mod children;
mod proxy;
mod redis;
mod redis_faults;
