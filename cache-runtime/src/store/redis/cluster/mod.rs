//! A cluster: many primaries, each with its share of the slots.
//!
//! | part | knows |
//! |---|---|
//! | [`Cluster`] | the node of a slot, now |
//! | `keeper` | when the map is out of date, and whom to ask |
//! | `map`, `report` | who serves what, and what one node says of it |
//! | `redirection`, `slot` | what a node says of one key, and where a key belongs |
//!
//! Each node is a [`Node`]: with a connection, a supervisor and a breaker of its own, so that a primary that is lost costs
//! its own slots and no others.

mod keeper;
mod layout;
mod map;
mod redirection;
mod report;
mod slot;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::timeout_at;

use self::keeper::Keeper;
pub(super) use self::layout::Layout;
use self::map::{Map, Member};
pub(crate) use self::redirection::Redirection;
use self::report::Report;
pub(super) use self::slot::of as slot_of;
use super::Settings;
use super::breaker::{Phase, Snapshot};
use super::cause::Cause;
use super::concurrently::race;
use super::node::Node;
use super::source::Source;
use super::url::{Access, Endpoint};
use crate::log;
use crate::store::{Deadline, StoreError, StoreResult};

/// The nodes of a cluster. Nothing happens before the first call.
#[derive(Debug)]
pub(super) struct Cluster {
    view: Arc<View>,
    keeper: Keeper,
}

/// What is known of a cluster.
struct View {
    seeds: Vec<Endpoint>,
    access: Access,
    settings: Settings,
    map: ArcSwap<Map>,
    /// Held while the map is changed.
    changing: Mutex<()>,
    news: watch::Sender<News>,
    /// Connections made to nodes that have left.
    left: AtomicU64,
    told: Arc<OnceLock<Told>>,
}

type Told = Box<dyn Fn() + Send + Sync>;

/// How it goes with the map.
#[derive(Clone, Debug)]
struct News {
    /// Open: no node can tell.
    phase: Phase,
    since: Instant,
    cause: Option<Cause>,
}

/// The node that an operation is sent to.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) node: Arc<Node>,
    /// It does not serve the slot yet, and has to be told that it was meant.
    pub(super) asking: bool,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Endpoint>, access: Access, settings: Settings) -> Self {
        let news = News { phase: Phase::Idle, since: Instant::now(), cause: None };
        let view = View {
            seeds,
            access,
            settings,
            map: ArcSwap::default(),
            changing: Mutex::default(),
            news: watch::Sender::new(news),
            left: AtomicU64::new(0),
            told: Arc::default(),
        };
        Self { view: Arc::new(view), keeper: Keeper::default() }
    }

    /// The node that serves a slot, at once; while the first map is being asked for, by `deadline`.
    pub(super) async fn node(&self, slot: u16, deadline: Deadline) -> StoreResult<Destination> {
        if self.view.is_vague() {
            Box::pin(self.know(deadline)).await?;
        }
        self.owner(slot)
    }

    /// The node that serves a slot, if one does.
    pub(super) fn owner(&self, slot: u16) -> StoreResult<Destination> {
        if let Some(owner) = self.view.map.load().owner(slot) {
            return Ok(owner.destination());
        }
        self.doubt();
        Err(StoreError::Down)
    }

    /// Every primary.
    pub(super) async fn nodes(&self, deadline: Deadline) -> StoreResult<Vec<Destination>> {
        self.know(deadline).await?;
        let map = self.view.map.load();
        Ok(map.members().iter().map(Member::destination).collect())
    }

    /// Waits for the first map.
    #[cold]
    pub(super) async fn know(&self, deadline: Deadline) -> StoreResult<()> {
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

    /// The map may be out of date: has it looked after, soon.
    pub(super) fn doubt(&self) {
        self.keeper.alarm(&self.view);
    }

    /// Takes note of what came of an operation on a node.
    pub(super) fn note(&self, error: &StoreError) {
        let doubtful = match error {
            StoreError::Down | StoreError::TimedOut | StoreError::Lost => true,
            StoreError::Refused(code) => {
                matches!(code.as_str(), "CLUSTERDOWN" | "MASTERDOWN" | "READONLY" | "LOADING")
            }
            // To where the slot is on its way there is no doubt.
            StoreError::Redirected(redirection) => !redirection.once,
            StoreError::Unexpected => false,
        };
        if doubtful {
            self.doubt();
        }
    }

    /// The node that a redirection names.
    pub(super) fn follow(&self, redirection: &Redirection) -> Option<Destination> {
        let node = self.view.redirected(redirection)?;
        Some(Destination { node, asking: redirection.once })
    }

    /// Calls `told` whenever a primary that may be another's successor is about to answer. Only the first to ask is told.
    pub(super) fn on_succession(&self, told: impl Fn() + Send + Sync + 'static) {
        _ = self.view.told.set(Box::new(told));
    }

    /// The state of the node that is worst off, and how many connections there were to all of them.
    pub(super) fn snapshot(&self) -> Snapshot {
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
    pub(super) async fn changed(&self, seen: Snapshot) -> Snapshot {
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

/// What a cluster's state is called by, first.
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

impl View {
    /// Whether nothing is known.
    fn is_vague(&self) -> bool {
        self.map.load().members().is_empty()
    }

    /// A node to be connected to when it is first needed.
    fn connect(&self, endpoint: &Endpoint) -> Arc<Node> {
        let source = Source::Member(endpoint.clone());
        let node = Node::new(source, self.access.clone(), self.settings.clone());
        let told = Arc::clone(&self.told);
        node.on_succession(move || {
            if let Some(told) = told.get() {
                told();
            }
        });
        Arc::new(node)
    }

    /// Replaces the map by one that follows from it.
    fn change(&self, next: impl FnOnce(&Map) -> Map) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let former = self.map.load_full();
        let map = next(&former);
        if map.succeeds(&former)
            && let Some(told) = self.told.get()
        {
            // Before the first call goes through to it.
            told();
        }
        let gone = former.members().iter().filter(|member| map.member(&member.endpoint).is_none());
        let connections: u64 = gone.map(|member| member.node.snapshot().epoch).sum();
        self.left.fetch_add(connections, Relaxed);
        self.map.store(Arc::new(map));
    }

    /// Takes over what a node has said.
    fn update(&self, report: &Report) {
        self.change(|map| map.updated(report, |endpoint| self.connect(endpoint)));
        self.settle(Phase::Closed, None);
    }

    /// The node that a redirection names, which has the slot from now on if it has moved for good.
    fn redirected(&self, redirection: &Redirection) -> Option<Arc<Node>> {
        let Redirection { slot, endpoint, once } = redirection;
        let is_known = |map: &Map| {
            let member = if *once { map.member(endpoint) } else { map.owner(*slot) };
            member.filter(|member| member.endpoint == *endpoint).map(|it| Arc::clone(&it.node))
        };
        if let Some(node) = is_known(&self.map.load()) {
            return Some(node);
        }
        self.change(|map| {
            let map = match map.member(endpoint) {
                Some(_) => map.clone(),
                None => map.with(endpoint, self.connect(endpoint)),
            };
            if *once { map } else { map.moved(*slot, endpoint) }
        });
        is_known(&self.map.load())
    }

    /// Says how it goes with the map.
    fn settle(&self, phase: Phase, cause: Option<Cause>) {
        let former =
            self.news.send_replace(News { phase, since: Instant::now(), cause: cause.clone() });
        match cause {
            Some(cause) if former.cause.as_ref() != Some(&cause) => {
                log::warn(format_args!("{}: {cause}; going without it", self.name()));
            }
            None if former.phase != phase && phase == Phase::Closed => {
                log::info(format_args!("{}: the nodes of the cluster are known", self.name()));
            }
            _ => {}
        }
    }

    /// What the cluster is called in the log.
    fn name(&self) -> String {
        let seeds: Vec<_> = self.seeds.iter().map(ToString::to_string).collect();
        seeds.join(",")
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("seeds", &self.seeds)
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}
