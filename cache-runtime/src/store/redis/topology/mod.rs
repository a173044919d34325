//! Which server answers for which key.

pub(crate) mod cluster;
pub(crate) mod discovery;
pub(crate) mod router;
pub(crate) mod scatter;
pub(crate) mod sentinel;
