//! A cluster: many primaries, each with its share of the slots.
//!
//! | part | knows |
//! |---|---|
//! | [`Cluster`] | the current node of a slot |
//! | `view` | the nodes and the map, as far as they are known |
//! | `keeper` | when the map is out of date, and which nodes to ask |
//! | `map`, `report` | which node serves which slots, and what one node says about it |
//! | `redirection`, `slot` | what a node says about one key, and which slot a key belongs to |
//!
//! Each node is a [`Node`] with its own connection, supervisor and breaker, so losing a primary
//! affects only its slots.

mod keeper;
mod layout;
mod map;
mod redirection;
mod report;
mod slot;
mod view;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::timeout_at;

use self::keeper::Keeper;
pub(in crate::store) use self::layout::Layout;
use self::map::Member;
pub(crate) use self::redirection::Redirection;
pub(in crate::store) use self::slot::of as slot_of;
use self::view::View;
use crate::metrics::ServerStats;
use crate::store::redis::ConnectionSettings;
use crate::store::redis::connection::breaker::{Phase, Snapshot};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::node::Node;
use crate::store::redis::url::{Access, Endpoint};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::join::{join, race};

/// The nodes of a cluster. Nothing happens before the first call.
#[derive(Debug)]
pub(in crate::store) struct Cluster {
    view: Arc<View>,
    keeper: Keeper,
}

/// The node that an operation is sent to.
#[derive(Clone, Debug)]
pub(in crate::store) struct Destination {
    pub(in crate::store) node: Arc<Node>,
    /// It does not serve the slot yet, so the command must be preceded by `ASKING`.
    pub(in crate::store) asking: bool,
}

impl Cluster {
    pub(in crate::store) fn new(
        seeds: Vec<Endpoint>,
        access: Access,
        settings: ConnectionSettings,
    ) -> Self {
        let view = View::new(seeds, access, settings);
        Self { view: Arc::new(view), keeper: Keeper::default() }
    }

    /// The node that serves a slot, at once; while the first map is being asked for, by `deadline`.
    pub(in crate::store) async fn node(
        &self,
        slot: u16,
        deadline: Deadline,
    ) -> StoreResult<Destination> {
        if self.view.is_vague() {
            Box::pin(self.know(deadline)).await?;
        }
        self.owner(slot)
    }

    /// The node that serves a slot, if one does.
    pub(in crate::store) fn owner(&self, slot: u16) -> StoreResult<Destination> {
        if let Some(owner) = self.view.map.load().owner(slot) {
            return Ok(owner.destination());
        }
        self.doubt();
        Err(StoreError::Down)
    }

    /// For a write: has a node tried at once if there is no connection to it, and where that is in
    /// vain the others asked who has come in its place. Waits for the outcome, until `by`.
    pub(in crate::store) async fn hasten(&self, node: &Node, by: Deadline) {
        if node.is_refusing() {
            Box::pin(async {
                node.hasten(by).await;
                if node.is_refusing() {
                    self.keeper.hasten(&self.view, by).await;
                }
            })
            .await;
        }
    }

    /// The same for all nodes.
    pub(in crate::store) async fn hasten_all(&self, by: Deadline) {
        let map = self.view.map.load_full();
        join(map.members().iter().map(|member| self.hasten(&member.node, by))).await;
    }

    /// The node that serves a slot by now, if it is another one than this, which could not be
    /// reached.
    pub(in crate::store) fn successor(&self, slot: u16, former: &Node) -> Option<Destination> {
        let to = self.view.map.load().owner(slot)?.destination();
        (!std::ptr::eq(&raw const *to.node, former)).then_some(to)
    }

    /// Every primary.
    pub(in crate::store) async fn nodes(
        &self,
        deadline: Deadline,
    ) -> StoreResult<Vec<Destination>> {
        self.know(deadline).await?;
        let map = self.view.map.load();
        Ok(map.members().iter().map(Member::destination).collect())
    }

    /// Asks every primary for a sign of life, by `by`: the first reason why one gives none.
    pub(in crate::store) async fn ping(&self, by: Deadline) -> Result<(), Cause> {
        if self.view.is_vague() {
            self.keeper.hasten(&self.view, by).await;
        }
        let nodes = self.nodes(by).await.map_err(|error| match error {
            StoreError::Down => self.view.news.borrow().cause.clone().unwrap_or(Cause::TimedOut),
            error => error.into(),
        })?;
        let failed = Mutex::new(None);
        let pings = nodes.iter().map(async |to| {
            if let Err(cause) = to.node.ping(by).await {
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
            }
        });
        join(pings).await;
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// Waits for the first map.
    #[cold]
    pub(in crate::store) async fn know(&self, deadline: Deadline) -> StoreResult<()> {
        if !self.view.is_vague() {
            return Ok(());
        }
        self.doubt();
        let mut news = self.view.news.subscribe();
        let settled = news.wait_for(|news| news.phase != Phase::Connecting);
        // The sender is ours, so there is no other error.
        _ = timeout_at(deadline, settled).await.map_err(|_| StoreError::TimedOut)?;
        if self.view.is_vague() { Err(StoreError::Down) } else { Ok(()) }
    }

    /// The map may be out of date: has it checked soon.
    pub(in crate::store) fn doubt(&self) {
        self.keeper.alarm(&self.view);
    }

    /// Takes note of the outcome of an operation on a node.
    pub(in crate::store) fn note(&self, error: &StoreError) {
        let doubtful = match error {
            StoreError::Down | StoreError::TimedOut | StoreError::Lost => true,
            StoreError::Refused(refusal) => {
                matches!(refusal.code(), "CLUSTERDOWN" | "MASTERDOWN" | "READONLY" | "LOADING")
            }
            // While a slot is moving, the map is right: the old node still owns it.
            StoreError::Redirected(redirection) => !redirection.once,
            StoreError::Saturated | StoreError::Unexpected => false,
        };
        if doubtful {
            self.doubt();
        }
    }

    /// The node that a redirection names.
    pub(in crate::store) fn follow(&self, redirection: &Redirection) -> Option<Destination> {
        let node = self.view.redirected(redirection)?;
        Some(Destination { node, asking: redirection.once })
    }

    /// Has `observer` called before the first command reaches a primary that may be another's
    /// successor. Only the first observer counts.
    pub(in crate::store) fn on_failover(&self, observer: impl Fn() + Send + Sync + 'static) {
        _ = self.view.observer.set(Box::new(observer));
    }

    /// What each primary was asked for.
    pub(in crate::store) fn servers(&self) -> Vec<ServerStats> {
        self.view.map.load().members().iter().map(|member| member.node.stats()).collect()
    }

    /// The worst state of any node, and the number of connections there were to all of them.
    pub(in crate::store) fn snapshot(&self) -> Snapshot {
        let news = self.view.news.borrow().clone();
        let map = self.view.map.load();
        let nodes = map.members().iter().map(|member| member.node.snapshot());
        let start = Snapshot {
            phase: if map.members().is_empty() { news.phase } else { Phase::Idle },
            epoch: self.view.left.load(Relaxed),
            since: news.since,
        };
        nodes.fold(start, |all, node| {
            let worst = if severity(node.phase) > severity(all.phase) { node } else { all };
            Snapshot { epoch: all.epoch + node.epoch, ..worst }
        })
    }

    /// Waits until the state of a node, or the map, has changed since `seen`.
    pub(in crate::store) async fn changed(&self, seen: Snapshot) -> Snapshot {
        loop {
            let mut news = self.view.news.subscribe();
            let members = self.view.map.load_full();
            let now = self.snapshot();
            if (now.phase, now.epoch) != (seen.phase, seen.epoch) {
                return now;
            }
            let states = members.members().iter().map(|it| (it, it.node.snapshot()));
            let changes = states.map(async |(it, state)| _ = it.node.changed(state).await);
            tokio::select! {
                () = race(changes) => {}
                _ = news.changed() => {}
            }
        }
    }
}

/// Which state counts for the whole cluster: the highest.
fn severity(phase: Phase) -> u8 {
    match phase {
        Phase::Idle => 0,
        Phase::Closed => 1,
        Phase::Connecting => 2,
        Phase::HalfOpen => 3,
        Phase::Open => 4,
    }
}

impl Member {
    fn destination(&self) -> Destination {
        Destination { node: Arc::clone(&self.node), asking: false }
    }
}
