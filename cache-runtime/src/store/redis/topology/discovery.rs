//! Which server to connect to.

use std::fmt;
use std::future::pending;

use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::server::Server;
use crate::store::redis::topology::sentinel::Sentinels;
use crate::store::redis::url::{Access, Endpoint};

/// Where a supervisor finds its server: asked before every attempt to connect.
#[derive(Debug)]
pub(in crate::store) enum Source {
    /// Always at the same address.
    Fixed(Endpoint),
    /// A node of a cluster, primary or not: it will say which other one has a key.
    Member(Endpoint),
    /// Wherever the primary is.
    Primary(Sentinels),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(endpoint) | Self::Member(endpoint) => endpoint.fmt(f),
            Self::Primary(sentinels) => sentinels.master.fmt(f),
        }
    }
}

impl Source {
    pub(in crate::store) async fn endpoint(&self, access: &Access) -> Result<Endpoint, Cause> {
        match self {
            Self::Fixed(endpoint) | Self::Member(endpoint) => Ok(endpoint.clone()),
            Self::Primary(sentinels) => sentinels.primary(access).await,
        }
    }

    /// An error unless the server that was found is what was looked for.
    pub(in crate::store) fn accept(&self, found: &Server) -> Result<(), Cause> {
        match self {
            Self::Primary(_) if !found.is_primary => Err(Cause::Topology("no primary yet")),
            Self::Fixed(_) | Self::Member(_) | Self::Primary(_) => Ok(()),
        }
    }

    /// Waits until the server is to be looked for elsewhere than at `present`.
    pub(in crate::store) async fn moved(&self, access: &Access, present: &Endpoint) {
        match self {
            Self::Fixed(_) | Self::Member(_) => pending().await,
            Self::Primary(sentinels) => sentinels.moved(access, present).await,
        }
    }
}
