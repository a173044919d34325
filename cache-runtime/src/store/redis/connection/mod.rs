//! One connection to one server: how it is made, supervised, used and replaced.

mod admission;
pub(crate) mod backoff;
pub(crate) mod breaker;
mod bulk;
pub(crate) mod dial;
pub(crate) mod error;
mod failover;
pub(crate) mod large;
pub(crate) mod link;
pub(crate) mod multiplexer;
pub(crate) mod node;
pub(crate) mod plan;
pub(crate) mod refusal;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod settings;
mod sockets;
pub(crate) mod supervisor;
#[cfg(feature = "tls")]
mod tls;
pub(crate) mod turns;
pub(crate) mod wire;
