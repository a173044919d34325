//! Which server an operation is sent to.

use std::sync::Arc;

use crate::metrics::ServerStats;
use crate::store::protocol::request::Effect;
use crate::store::redis::ConnectionSettings;
use crate::store::redis::commands::{self, Command};
use crate::store::redis::connection::breaker::Snapshot;
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::node::Node;
use crate::store::redis::connection::session::Session;
use crate::store::redis::topology::cluster::{self, Cluster, Destination};
use crate::store::redis::topology::discovery::Source;
use crate::store::redis::topology::sentinel::Sentinels;
use crate::store::redis::url::{ServerUrl, Topology};
use crate::store::{Keyed, Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// How often one operation follows the nodes' word to another node.
pub(in crate::store) const REDIRECTIONS: usize = 3;

/// The servers behind one URL.
#[derive(Debug)]
pub(in crate::store) enum Router {
    /// One, or whichever is the primary.
    Single(Node),
    Cluster(Cluster),
}

/// Commands and their replies on one connection. It can be run again, on the connection of another
/// node: so what depends on the primary, such as the origin in a record, is set when it is run.
pub(in crate::store) trait Exchange: Send {
    type Reply: Send;

    /// Whether a server that there is no connection to is tried at once.
    const IS_URGENT: bool = false;

    fn run(
        &mut self,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> impl Future<Output = StoreResult<Self::Reply>> + Send;
}

impl<R: Command> Exchange for Keyed<'_, R> {
    type Reply = R::Reply;
    const IS_URGENT: bool = matches!(R::EFFECT, Effect::Writes);

    fn run(
        &mut self,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> impl Future<Output = StoreResult<R::Reply>> + Send {
        commands::send(self, session, by)
    }
}

impl Router {
    /// Sends a request to the node that has its key.
    pub(in crate::store) async fn send<R: Command>(
        &self,
        mut request: Keyed<'_, R>,
        by: Deadline,
    ) -> StoreResult<R::Reply> {
        self.run(request.name, &mut request, by).await
    }

    /// Runs an exchange with the node that has a key, and again with the one that is named instead.
    pub(in crate::store) async fn run<E: Exchange>(
        &self,
        name: Name<'_>,
        exchange: &mut E,
        by: Deadline,
    ) -> StoreResult<E::Reply> {
        let mut route = self.route(name);
        loop {
            let session = match route.session_at_hand(by) {
                Some(session) => Ok(session),
                None if E::IS_URGENT => route.urgent_session(by).await,
                None => route.session(by).await,
            };
            let result = match session {
                Ok(mut session) => exchange.run(&mut session, by).await,
                Err(error) => Err(error),
            };
            if route.ends_with(&result) {
                return result;
            }
        }
    }

    pub(in crate::store) fn new(url: ServerUrl, settings: ConnectionSettings) -> Self {
        let ServerUrl { topology, access } = url;
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

    /// The way of one operation to the node that has the key.
    pub(in crate::store) fn route(&self, name: Name<'_>) -> Route<'_> {
        match self {
            Self::Single(node) => Route::Single(node),
            Self::Cluster(cluster) => {
                let slot = cluster::slot_of(name.text);
                Route::Cluster { cluster, slot, to: None, redirections: 0 }
            }
        }
    }

    /// A way to every primary: together they have all keys.
    pub(in crate::store) async fn primaries(&self, by: Deadline) -> StoreResult<Vec<Route<'_>>> {
        match self {
            Self::Single(node) => Ok(vec![Route::Single(node)]),
            Self::Cluster(cluster) => {
                let nodes = cluster.nodes(by).await?.into_iter();
                Ok(nodes.map(|to| Route::to(cluster, to)).collect())
            }
        }
    }

    /// For a write of any key: has all servers tried at once that there is no connection to, and
    /// waits for the outcome, until `by`.
    pub(in crate::store) async fn hasten_all(&self, by: Deadline) {
        match self {
            Self::Single(node) => node.hasten(by).await,
            Self::Cluster(cluster) => cluster.hasten_all(by).await,
        }
    }

    /// Asks every server for a sign of life, by `by`: the first reason why one gives none.
    pub(in crate::store) async fn ping(&self, by: Deadline) -> Result<(), Cause> {
        match self {
            Self::Single(node) => node.ping(by).await,
            Self::Cluster(cluster) => cluster.ping(by).await,
        }
    }

    /// Has `observer` called before the first command reaches a newly promoted primary.
    pub(in crate::store) fn on_failover(&self, observer: impl Fn() + Send + Sync + 'static) {
        match self {
            Self::Single(node) => node.on_failover(observer),
            Self::Cluster(cluster) => cluster.on_failover(observer),
        }
    }

    /// What each server was asked for.
    pub(in crate::store) fn servers(&self) -> Vec<ServerStats> {
        match self {
            Self::Single(node) => vec![node.stats()],
            Self::Cluster(cluster) => cluster.servers(),
        }
    }

    pub(in crate::store) fn snapshot(&self) -> Snapshot {
        match self {
            Self::Single(node) => node.snapshot(),
            Self::Cluster(cluster) => cluster.snapshot(),
        }
    }

    /// Waits until a breaker or a connection has changed since `seen`.
    pub(in crate::store) async fn changed(&self, seen: Snapshot) -> Snapshot {
        match self {
            Self::Single(node) => node.changed(seen).await,
            Self::Cluster(cluster) => cluster.changed(seen).await,
        }
    }
}

/// The way of one operation.
#[derive(Debug)]
pub(in crate::store) enum Route<'a> {
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
    pub(in crate::store) fn to(cluster: &'a Cluster, to: Destination) -> Self {
        Self::Cluster { cluster, slot: 0, to: Some(to), redirections: 0 }
    }

    /// Whether it is the way to the same node.
    pub(in crate::store) fn leads_to(&self, other: &Destination) -> bool {
        match self {
            Self::Cluster { to: Some(to), .. } => {
                Arc::ptr_eq(&to.node, &other.node) && to.asking == other.asking
            }
            Self::Cluster { to: None, .. } | Self::Single(_) => false,
        }
    }

    /// The connection to make calls on, if nothing has to be done for that.
    pub(in crate::store) fn session_at_hand(&self, by: Deadline) -> Option<Session<'_>> {
        match self {
            Self::Single(node) => node.session_at_hand(by),
            Self::Cluster { to, .. } => {
                let to = to.as_ref()?;
                to.node.session_at_hand(by).map(|session| session.asking(to.asking))
            }
        }
    }

    /// The connection to make calls on.
    pub(in crate::store) async fn session(&mut self, by: Deadline) -> StoreResult<Session<'_>> {
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

    /// The same for a write: a server that there is no connection to is tried at once.
    pub(in crate::store) async fn urgent_session(
        &mut self,
        by: Deadline,
    ) -> StoreResult<Session<'_>> {
        match self {
            Self::Single(node) => node.hasten(by).await,
            Self::Cluster { cluster, slot, to, .. } => {
                let present = match to {
                    Some(to) => to,
                    None => to.insert(cluster.node(*slot, by).await?),
                };
                cluster.hasten(&present.node, by).await;
            }
        }
        self.session(by).await
    }

    /// Whether this is the operation's result. If not, it is to be tried again.
    pub(in crate::store) fn ends_with<T>(&mut self, result: &StoreResult<T>) -> bool {
        self.note(result);
        let Err(error) = result else { return true };
        let next = match &*self {
            Self::Cluster { slot, .. } => self.next(*slot, error),
            Self::Single(_) => None,
        };
        let Self::Cluster { to, redirections, .. } = self else { return true };
        *redirections += 1;
        if *redirections <= REDIRECTIONS
            && let Some(next) = next
        {
            *to = Some(next);
            return false;
        }
        true
    }

    /// Takes note of an operation's result, which is not tried again.
    pub(in crate::store) fn note<T>(&self, result: &StoreResult<T>) {
        if let (Self::Cluster { cluster, .. }, Err(error)) = (self, result) {
            cluster.note(error);
        }
    }

    /// Where an operation on a key of `slot` is to be tried again, if it is.
    pub(in crate::store) fn next(&self, slot: u16, error: &StoreError) -> Option<Destination> {
        let Self::Cluster { cluster, to, .. } = self else { return None };
        match error {
            StoreError::Redirected(redirection) => cluster.follow(redirection),
            // Nothing was sent, and the map may have changed since.
            StoreError::Down => cluster.successor(slot, &to.as_ref()?.node),
            _ => None,
        }
    }
}
