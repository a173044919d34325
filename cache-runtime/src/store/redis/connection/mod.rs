//! One connection to one server: how it is made, supervised, used and replaced.

pub(crate) mod admission;
pub(crate) mod backoff;
pub(crate) mod breaker;
pub(crate) mod dial;
pub(crate) mod error;
pub(crate) mod failover;
pub(crate) mod link;
pub(crate) mod node;
pub(crate) mod refusal;
pub(crate) mod replies;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod sockets;
pub(crate) mod supervisor;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod turns;
pub(crate) mod write_coalescer;
