//! What every floor may use: the log, time, randomness, panics, threads, bodies.

pub(crate) mod body;
pub(crate) mod budget;
pub(crate) mod clock;
pub(crate) mod escape;
pub(crate) mod join;
pub(crate) mod log;
pub(crate) mod own_thread;
pub(crate) mod panic;
pub(crate) mod random;
pub(crate) mod secret;
pub(crate) mod shutdown_signal;
pub(crate) mod span;
pub(crate) mod trace;
