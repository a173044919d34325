//! Keeps the map of a cluster up to date.
//!
//! The keeper asks for the map when it is first needed, when a node says that a slot has moved or that the cluster is
//! down, while any node is lost, and from time to time: a primary that is not being called may have been replaced as
//! well.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout, timeout_at};

use crate::store::redis::connection::backoff::Backoff;
use crate::store::redis::connection::breaker::SPACING;
use crate::store::redis::connection::error::Cause;
use crate::store::redis::topology::cluster::Phase;
use crate::store::redis::topology::cluster::report::Report;
use crate::store::redis::topology::cluster::view::View;
use crate::store::redis::url::Endpoint;
use crate::support::budget::Deadline;
use crate::support::join::race;
use crate::support::random::random_fraction;

/// How many nodes are asked at once. The first answer is enough.
const ASKED: usize = 3;
/// The shortest time between two requests for a map that is not known to be wrong.
const ROUND: Duration = Duration::from_secs(10);
/// How late the keeper may be: runtimes can be busy.
const LENIENCE: Duration = Duration::from_secs(1);
/// The heartbeat deadline of a keeper that waits to be called.
const NEVER: u64 = u64::MAX;

/// The task that keeps the map up to date, on the runtime for connections, or on that of the caller that needed it first. If that runtime ends,
/// or is left standing with nobody to drive it, the next caller whom the map does not help puts the task on its own.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    task: Mutex<Option<AbortHandle>>,
    desk: Arc<Desk>,
}

/// Where the keeper is called.
#[derive(Debug)]
struct Desk {
    bell: Notify,
    /// A write waits for the next map.
    urgent: Notify,
    created: Instant,
    /// By when the keeper will have stirred, in milliseconds since `created`.
    heartbeat_due: AtomicU64,
    /// When nodes began to be asked; `NEVER`: none is being asked. In milliseconds since `created`, as the next.
    asked: AtomicU64,
    /// When they may be asked again out of turn.
    due: AtomicU64,
}

impl Default for Desk {
    fn default() -> Self {
        let [bell, urgent] = [(); 2].map(|()| Notify::new());
        let [heartbeat_due, asked, due] = [0, NEVER, 0].map(AtomicU64::new);
        Self { bell, urgent, created: Instant::now(), heartbeat_due, asked, due }
    }
}

impl Desk {
    fn heartbeat(&self, wait: Duration) {
        self.heartbeat_due.store(self.after(wait + LENIENCE), Relaxed);
    }

    fn after(&self, delay: Duration) -> u64 {
        u64::try_from((self.created.elapsed() + delay).as_millis()).unwrap_or(NEVER)
    }

    /// How long until nodes may be asked again out of turn.
    fn wait(&self) -> Duration {
        let now = self.after(Duration::ZERO);
        Duration::from_millis(self.due.load(Relaxed).saturating_sub(now))
    }

    /// Whether an answer can be expected soon: nodes have been asked for less than `patience`, or may be now.
    fn is_promising(&self, patience: Duration) -> bool {
        match self.asked.load(Relaxed) {
            NEVER => self.wait().is_zero(),
            asked => {
                Duration::from_millis(self.after(Duration::ZERO).saturating_sub(asked)) < patience
            }
        }
    }

    /// The nodes are being asked from now on.
    fn ask(&self) {
        self.asked.store(self.after(Duration::ZERO), Relaxed);
    }

    /// They have been asked.
    fn rest(&self) {
        self.asked.store(NEVER, Relaxed);
    }

    /// Waits until a write wants them to be asked, and they may be.
    async fn hastened(&self) {
        self.urgent.notified().await;
        sleep(self.wait()).await;
        self.due.store(self.after(SPACING), Relaxed);
    }
}

impl Keeper {
    /// For a write whose node cannot be reached: has the map asked for at once, unless it was a moment ago, and waits
    /// for it, until `by`.
    pub(super) async fn hasten(&self, view: &Arc<View>, by: Deadline) {
        let mut news = view.news.subscribe();
        let patience = view.settings.patience();
        let is_promising = self.desk.is_promising(patience);
        self.desk.urgent.notify_one();
        self.alarm(view);
        if is_promising {
            let until = by.min((Instant::now() + patience).into());
            // The sender is ours, so there is no other error than that it takes too long.
            _ = timeout_at(until, news.changed()).await;
        }
    }

    /// Has the map asked for, soon.
    pub(super) fn alarm(&self, view: &Arc<View>) {
        self.desk.bell.notify_one();
        let overdue = self.desk.after(Duration::ZERO) > self.desk.heartbeat_due.load(Relaxed);
        let soon = self.desk.after(LENIENCE);
        _ = self.desk.heartbeat_due.compare_exchange(NEVER, soon, Relaxed, Relaxed);
        // Somebody who holds the lock does the same.
        let (Ok(mut task), Some(runtime)) = (self.task.try_lock(), view.settings.runtime()) else {
            return;
        };
        if overdue || task.as_ref().is_none_or(AbortHandle::is_finished) {
            self.desk.heartbeat(LENIENCE);
            if view.is_vague() {
                view.settle(Phase::Connecting, None);
            }
            let successor = runtime.spawn(keep(Arc::clone(view), Arc::clone(&self.desk)));
            if let Some(predecessor) = task.replace(successor.abort_handle()) {
                predecessor.abort();
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Ok(Some(task)) = self.task.get_mut() {
            task.abort();
        }
    }
}

async fn keep(view: Arc<View>, desk: Arc<Desk>) {
    let mut backoff = Backoff::default();
    loop {
        desk.ask();
        let learnt = learn(&view, &desk).await;
        desk.rest();
        match learnt {
            Ok(()) => {
                backoff.up();
                let round = ROUND.mul_f64(0.5 + random_fraction() / 2.0);
                desk.heartbeat_due.store(NEVER, Relaxed);
                _ = timeout(round, trouble(&view, &desk)).await;
            }
            Err(cause) if view.is_vague() => view.settle(Phase::Open, Some(cause)),
            // The nodes of the map are known to be lost, each by itself.
            Err(_) => {}
        }
        let pause = backoff.pause();
        desk.heartbeat(pause);
        _ = timeout(pause, desk.hastened()).await;
    }
}

/// Waits until the map is in doubt: as long as any of its nodes is lost.
async fn trouble(view: &View, desk: &Desk) {
    let map = view.map.load_full();
    tokio::select! {
        () = desk.bell.notified() => {}
        () = race(map.members().iter().map(|member| member.node.lost())) => {}
    }
}

/// Asks for the map, a few nodes at a time.
async fn learn(view: &View, desk: &Desk) -> Result<(), Cause> {
    let mut why = Cause::TimedOut;
    for nodes in candidates(view).chunks(ASKED) {
        let patience = view.settings.connect_timeout;
        desk.heartbeat(patience);
        let mut questions = JoinSet::new();
        for endpoint in nodes {
            let (endpoint, access) = (endpoint.clone(), view.access.clone());
            questions.spawn(async move {
                timeout(patience, Report::ask(&endpoint, &access, patience))
                    .await
                    .unwrap_or(Err(Cause::TimedOut))
            });
        }
        while let Some(answer) = questions.join_next().await {
            match answer {
                Ok(Ok(report)) => {
                    view.update(&report);
                    return Ok(());
                }
                // What a server says tells more than that there is none.
                Ok(Err(cause)) if !is_said_by_a_server(&why) => {
                    why = cause;
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }
    Err(why)
}

fn is_said_by_a_server(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::NoPassword(_)
            | Cause::WrongPassword(_)
            | Cause::Refused(_)
            | Cause::Topology(_)
            | Cause::Protocol(_)
    )
}

/// Who may be asked: the nodes in any order, and then the seeds.
fn candidates(view: &View) -> Vec<Endpoint> {
    let map = view.map.load();
    let mut candidates: Vec<_> = map.members().iter().map(|it| it.endpoint.clone()).collect();
    candidates.sort_by_cached_key(|_| random_fraction().to_bits());
    let known = candidates.len();
    let seeds = view.seeds.iter().filter(|seed| !candidates.contains(seed)).cloned();
    let seeds: Vec<_> = seeds.collect();
    candidates.extend(seeds);
    candidates[known..].sort_by_cached_key(|_| random_fraction().to_bits());
    candidates
}
