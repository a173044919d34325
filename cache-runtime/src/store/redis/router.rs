//! Which server an operation is sent to.
//!
//! An operation on one key goes through [`route!`], one on many keys through [`split!`]. Both are macros because a function
//! would take a closure over a session of any lifetime, of whose future the compiler cannot tell that it is `Send`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::Settings;
use super::breaker::Snapshot;
use super::node::Node;
use super::sentinel::Sentinels;
use super::session::Session;
use super::source::Source;
use super::supervisor::Plan;
use super::url::{Malformed, Target, Topology};
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

/// Runs an operation on many keys: on all their nodes at once, on each for its own; on some of them again as in [`route!`].
///
/// `split!(self, items, by, |session, part| session.invalidate(part, hold_off, by))` is one [`StoreResult`] for each
/// [`Item`] of the vector `items`, in their order. `part` is a `&mut [Item]`; the operation gives a vector of as many
/// results.
macro_rules! split {
    ($store:ident, $items:expr, $by:expr, |$session:ident, $part:ident| $operation:expr) => {{
        let mut split = $store.router.distribute($items);
        while let Some(parts) = split.parts() {
            let operations = parts.iter_mut().map(async |part| {
                let (route, $part) = part.open();
                let results = match route.session($by).await {
                    Ok(mut $session) => $operation.await,
                    Err(error) => $part.iter().map(|_| Err(error.clone())).collect(),
                };
                part.close(results);
            });
            $crate::store::redis::router::join(operations).await;
        }
        split.results()
    }};
}

pub(super) use {route, split};

/// The servers behind one URL.
#[derive(Debug)]
pub(super) struct Router {
    node: Node,
}

impl Router {
    pub(super) fn new(target: Target, settings: Settings) -> Result<Self, Malformed> {
        let Target { topology, access } = target;
        let source = match topology {
            Topology::Single(endpoint) => Source::Fixed(endpoint),
            Topology::Sentinel { sentinels, master } => {
                Source::Primary(Sentinels { sentinels, master })
            }
            Topology::Cluster(_) => return Err(Malformed::new("clusters are not supported yet")),
        };
        Ok(Self { node: Node::new(source, access, settings) })
    }

    /// The way of one operation to the node that has the key. For [`route!`].
    pub(super) fn route(&self, _name: Name<'_>) -> Route<'_> {
        Route { node: &self.node }
    }

    /// The ways of one operation on many keys. For [`split!`].
    pub(super) fn distribute<I: Item, T>(&self, items: Vec<I>) -> Split<'_, I, T> {
        let part = Part { route: Route { node: &self.node }, items, results: Vec::new() };
        Split { parts: vec![part], begun: false }
    }

    /// A way to every primary: together they have all keys.
    pub(super) fn primaries(&self) -> Vec<Route<'_>> {
        vec![Route { node: &self.node }]
    }

    /// Calls `told` whenever another primary is about to answer than before.
    pub(super) fn on_succession(&self, told: impl Fn() + Send + Sync + 'static) {
        self.node.on_succession(told);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.node.snapshot()
    }

    /// Waits until a breaker or a connection has changed since `seen`.
    pub(super) async fn changed(&self, seen: Snapshot) -> Snapshot {
        self.node.changed(seen).await
    }
}

/// The way of one operation.
#[derive(Debug)]
pub(super) struct Route<'a> {
    node: &'a Node,
}

impl Route<'_> {
    pub(super) async fn session(&self, by: Deadline) -> StoreResult<Session<'_>> {
        self.node.session(by).await
    }

    /// Where the node is, for a connection of one's own.
    pub(super) fn plan(&self) -> Arc<Plan> {
        self.node.plan()
    }

    /// Whether this is the operation's result. If not, it is to be tried again.
    #[expect(clippy::unused_self, reason = "clusters follow")]
    pub(super) fn ends_with<T>(&mut self, _result: &StoreResult<T>) -> bool {
        true
    }
}

/// What an operation on many keys is told of each: the key, and whatever else belongs to it.
pub(super) trait Item {
    #[expect(dead_code, reason = "clusters follow")]
    fn name(&self) -> Name<'_>;
}

impl Item for Name<'_> {
    fn name(&self) -> Name<'_> {
        *self
    }
}

impl<T> Item for (Name<'_>, T) {
    fn name(&self) -> Name<'_> {
        self.0
    }
}

/// The ways of one operation on many keys.
#[derive(Debug)]
pub(super) struct Split<'a, I, T> {
    parts: Vec<Part<'a, I, T>>,
    begun: bool,
}

/// What one node is to do.
#[derive(Debug)]
pub(super) struct Part<'a, I, T> {
    route: Route<'a>,
    items: Vec<I>,
    results: Vec<StoreResult<T>>,
}

impl<'a, I: Item, T> Split<'a, I, T> {
    /// What is to be done next, all at once; none when everything is.
    pub(super) fn parts(&mut self) -> Option<&mut [Part<'a, I, T>]> {
        (!std::mem::replace(&mut self.begun, true)).then_some(&mut self.parts)
    }

    /// One result for each item, in order.
    pub(super) fn results(self) -> Vec<StoreResult<T>> {
        self.parts.into_iter().flat_map(|part| part.results).collect()
    }
}

impl<'a, I: Item, T> Part<'a, I, T> {
    pub(super) fn open(&mut self) -> (&Route<'a>, &mut [I]) {
        (&self.route, &mut self.items)
    }

    /// Ends with one result for each item.
    pub(super) fn close(&mut self, results: Vec<StoreResult<T>>) {
        self.results = results;
        self.results.resize_with(self.items.len(), || Err(StoreError::Unexpected));
    }
}

/// Runs futures at once, until all have ended. There are as many as nodes: few.
pub(super) async fn join(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    poll_fn(|cx| {
        running.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
