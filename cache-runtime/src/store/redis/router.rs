//! Which server an operation is sent to.
//!
//! An operation on one key goes through [`route!`], one on many keys through [`split!`](super::split::split). Both
//! are macros, because a function would take a closure over a session of any lifetime, and the compiler cannot prove
//! that the future of such a closure is `Send`.

use std::sync::Arc;

use super::Settings;
use super::breaker::Snapshot;
use super::cluster::{self, Cluster, Destination};
use super::node::Node;
use super::sentinel::Sentinels;
use super::session::Session;
use super::source::Source;
use super::url::{Target, Topology};
use crate::store::{Deadline, Name, StoreError, StoreResult};

/// Runs an operation on the node that has a key, and again on the one that is named instead: so what depends on the
/// primary, such as the origin in a record, is to be set by the operation itself.
///
/// `route!(self, name, by, |session| session.get(name, by))` in a method of [`RedisStore`](super::RedisStore) is its
/// [`StoreResult`].
macro_rules! route {
    ($store:ident, $name:expr, $by:expr, |$session:ident| $operation:expr) => {{
        let mut route = $store.router.route($name);
        loop {
            let result = match route.session($by).await {
                Ok(mut $session) => $operation.await,
                Err(error) => Err(error),
            };
            if route.ends_with(&result) {
                break result;
            }
        }
    }};
}

pub(super) use route;

/// How often one operation follows the nodes' word to another node.
pub(super) const REDIRECTIONS: usize = 3;

/// The servers behind one URL.
#[derive(Debug)]
pub(super) enum Router {
    /// One, or whichever is the primary.
    Single(Node),
    Cluster(Cluster),
}

impl Router {
    pub(super) fn new(target: Target, settings: Settings) -> Self {
        let Target { topology, access } = target;
        let source = match topology {
            Topology::Single(endpoint) => Source::Fixed(endpoint),
            Topology::Sentinel { sentinels, master } => {
                Source::Primary(Sentinels { sentinels, master })
            }
            Topology::Cluster(seeds) => {
                return Self::Cluster(Cluster::new(seeds, access, settings));
            }
        };
        Self::Single(Node::new(source, access, settings))
    }

    /// The way of one operation to the node that has the key. For [`route!`].
    pub(super) fn route(&self, name: Name<'_>) -> Route<'_> {
        match self {
            Self::Single(node) => Route::Single(node),
            Self::Cluster(cluster) => {
                let slot = cluster::slot_of(name.text);
                Route::Cluster { cluster, slot, to: None, redirections: 0 }
            }
        }
    }

    /// A way to every primary: together they have all keys.
    pub(super) async fn primaries(&self, by: Deadline) -> StoreResult<Vec<Route<'_>>> {
        match self {
            Self::Single(node) => Ok(vec![Route::Single(node)]),
            Self::Cluster(cluster) => {
                let nodes = cluster.nodes(by).await?.into_iter();
                Ok(nodes.map(|to| Route::to(cluster, to)).collect())
            }
        }
    }

    /// Calls `told` whenever a different primary than before is about to answer.
    pub(super) fn on_succession(&self, told: impl Fn() + Send + Sync + 'static) {
        match self {
            Self::Single(node) => node.on_succession(told),
            Self::Cluster(cluster) => cluster.on_succession(told),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        match self {
            Self::Single(node) => node.snapshot(),
            Self::Cluster(cluster) => cluster.snapshot(),
        }
    }

    /// Waits until a breaker or a connection has changed since `seen`.
    pub(super) async fn changed(&self, seen: Snapshot) -> Snapshot {
        match self {
            Self::Single(node) => node.changed(seen).await,
            Self::Cluster(cluster) => cluster.changed(seen).await,
        }
    }
}

/// The way of one operation.
#[derive(Debug)]
pub(super) enum Route<'a> {
    Single(&'a Node),
    Cluster {
        cluster: &'a Cluster,
        slot: u16,
        /// None: whichever node serves the slot.
        to: Option<Destination>,
        redirections: usize,
    },
}

impl<'a> Route<'a> {
    /// To one node of a cluster, whatever its slots.
    pub(super) fn to(cluster: &'a Cluster, to: Destination) -> Self {
        Self::Cluster { cluster, slot: 0, to: Some(to), redirections: 0 }
    }

    /// Whether it is the way to the same node.
    pub(super) fn leads_to(&self, other: &Destination) -> bool {
        match self {
            Self::Cluster { to: Some(to), .. } => {
                Arc::ptr_eq(&to.node, &other.node) && to.asking == other.asking
            }
            Self::Cluster { to: None, .. } | Self::Single(_) => false,
        }
    }

    /// The connection to make calls on.
    pub(super) async fn session(&mut self, by: Deadline) -> StoreResult<Session<'_>> {
        match self {
            Self::Single(node) => node.session(by).await,
            Self::Cluster { cluster, slot, to, .. } => {
                let to = match to {
                    Some(to) => to,
                    None => to.insert(cluster.node(*slot, by).await?),
                };
                let session = to.node.session(by).await;
                session.map(|session| session.asking(to.asking))
            }
        }
    }

    /// Whether this is the operation's result. If not, it is to be tried again.
    pub(super) fn ends_with<T>(&mut self, result: &StoreResult<T>) -> bool {
        let (Self::Cluster { cluster, to, redirections, .. }, Err(error)) = (self, result) else {
            return true;
        };
        cluster.note(error);
        let StoreError::Redirected(redirection) = error else { return true };
        *redirections += 1;
        if *redirections <= REDIRECTIONS
            && let Some(next) = cluster.follow(redirection)
        {
            *to = Some(next);
            return false;
        }
        true
    }
}
