//! What is known of a cluster.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::store::redis::ConnectionSettings;
use crate::store::redis::connection::breaker::Phase;
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::node::Node;
use crate::store::redis::topology::cluster::map::Map;
use crate::store::redis::topology::cluster::redirection::Redirection;
use crate::store::redis::topology::cluster::report::Report;
use crate::store::redis::topology::discovery::Source;
use crate::store::redis::url::{Access, Endpoint};
use crate::support::log;

/// The nodes of a cluster and their slots, as far as they are known.
pub(super) struct View {
    pub(super) seeds: Vec<Endpoint>,
    pub(super) access: Access,
    pub(super) settings: ConnectionSettings,
    pub(super) map: ArcSwap<Map>,
    /// Held while the map is changed.
    changing: Mutex<()>,
    pub(super) news: watch::Sender<News>,
    /// Connections made to nodes that have left.
    pub(super) left: AtomicU64,
    pub(super) observer: Arc<OnceLock<Observer>>,
}

type Observer = Box<dyn Fn() + Send + Sync>;

/// The state of the map.
#[derive(Clone, Debug)]
pub(super) struct News {
    /// Open: no node can tell.
    pub(super) phase: Phase,
    pub(super) since: Instant,
    pub(super) cause: Option<Cause>,
}

impl View {
    pub(super) fn new(seeds: Vec<Endpoint>, access: Access, settings: ConnectionSettings) -> Self {
        let news = News { phase: Phase::Idle, since: Instant::now(), cause: None };
        Self {
            seeds,
            access,
            settings,
            map: ArcSwap::default(),
            changing: Mutex::default(),
            news: watch::Sender::new(news),
            left: AtomicU64::new(0),
            observer: Arc::default(),
        }
    }

    /// Whether nothing is known.
    pub(super) fn is_vague(&self) -> bool {
        self.map.load().members().is_empty()
    }

    /// A node to be connected to when it is first needed.
    fn connect(&self, endpoint: &Endpoint) -> Arc<Node> {
        let source = Source::Member(endpoint.clone());
        let node = Node::new(source, self.access.clone(), self.settings.clone());
        let observer = Arc::clone(&self.observer);
        node.on_failover(move || {
            if let Some(observer) = observer.get() {
                observer();
            }
        });
        Arc::new(node)
    }

    /// Replaces the map by one that is derived from it.
    fn change(&self, next: impl FnOnce(&Map) -> Map) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let former = self.map.load_full();
        let map = next(&former);
        let mut successors = map.successors(&former).peekable();
        // Both before the first call goes through to one of them.
        if successors.peek().is_some()
            && let Some(observer) = self.observer.get()
        {
            observer();
        }
        successors.for_each(|successor| successor.node.begin_quiet());
        let gone = former.members().iter().filter(|member| map.member(&member.endpoint).is_none());
        let connections: u64 = gone.map(|member| member.node.snapshot().epoch).sum();
        self.left.fetch_add(connections, Relaxed);
        self.map.store(Arc::new(map));
    }

    /// Applies what a node has reported.
    pub(super) fn update(&self, report: &Report) {
        self.change(|map| map.updated(report, |endpoint| self.connect(endpoint)));
        self.settle(Phase::Closed, None);
    }

    /// The node that a redirection names, which has the slot from now on if it has moved for good.
    pub(super) fn redirected(&self, redirection: &Redirection) -> Option<Arc<Node>> {
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

    /// Publishes the state of the map, and logs a change.
    pub(super) fn settle(&self, phase: Phase, cause: Option<Cause>) {
        let former =
            self.news.send_replace(News { phase, since: Instant::now(), cause: cause.clone() });
        if let Some(cause) = &cause {
            self.settings.failures.note(cause.clone());
        }
        match cause {
            Some(cause) if former.cause.as_ref() != Some(&cause) => {
                self.settings.failures.tell(self.name(), &cause);
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
