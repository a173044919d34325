//! Keeps the map of a cluster up to date.
//!
//! The keeper asks for the map when it is first needed, when a node says that a slot has moved or that the cluster is
//! down, while any node is lost, and from time to time: a primary that is not being called may have been replaced as
//! well.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::Phase;
use super::report::Report;
use super::view::View;
use crate::store::redis::backoff::Backoff;
use crate::store::redis::cause::Cause;
use crate::store::redis::concurrently::race;
use crate::store::redis::url::Endpoint;
use crate::token::random_fraction;

/// How many nodes are asked at once. The first answer is enough.
const ASKED: usize = 3;
/// The shortest time between two requests for a map that is not known to be wrong.
const ROUND: Duration = Duration::from_secs(10);
/// How late the keeper may be: runtimes can be busy.
const LENIENCE: Duration = Duration::from_secs(1);
/// The promise of a keeper that waits to be called.
const NEVER: u64 = u64::MAX;

/// The task that keeps the map up to date, on the runtime of the caller that needed it first. If that runtime ends,
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
    created: Instant,
    /// By when the keeper will have stirred, in milliseconds since `created`.
    promise: AtomicU64,
}

impl Default for Desk {
    fn default() -> Self {
        Self { bell: Notify::new(), created: Instant::now(), promise: AtomicU64::new(0) }
    }
}

impl Desk {
    fn promise(&self, wait: Duration) {
        self.promise.store(self.after(wait + LENIENCE), Relaxed);
    }

    fn after(&self, delay: Duration) -> u64 {
        u64::try_from((self.created.elapsed() + delay).as_millis()).unwrap_or(NEVER)
    }
}

impl Keeper {
    /// Has the map asked for, soon.
    pub(super) fn alarm(&self, view: &Arc<View>) {
        self.desk.bell.notify_one();
        let overdue = self.desk.after(Duration::ZERO) > self.desk.promise.load(Relaxed);
        let soon = self.desk.after(LENIENCE);
        _ = self.desk.promise.compare_exchange(NEVER, soon, Relaxed, Relaxed);
        // Somebody who holds the lock does the same.
        let (Ok(mut task), Ok(runtime)) = (self.task.try_lock(), Handle::try_current()) else {
            return;
        };
        if overdue || task.as_ref().is_none_or(AbortHandle::is_finished) {
            self.desk.promise(LENIENCE);
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
        match learn(&view, &desk).await {
            Ok(()) => {
                backoff.up();
                let round = ROUND.mul_f64(0.5 + random_fraction() / 2.0);
                desk.promise.store(NEVER, Relaxed);
                _ = timeout(round, trouble(&view, &desk)).await;
            }
            Err(cause) if view.is_vague() => view.settle(Phase::Open, Some(cause)),
            // The nodes of the map are known to be lost, each by itself.
            Err(_) => {}
        }
        let pause = backoff.pause();
        desk.promise(pause);
        sleep(pause).await;
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
        desk.promise(patience);
        let mut questions = JoinSet::new();
        for endpoint in nodes {
            let (endpoint, access) = (endpoint.clone(), view.access.clone());
            questions.spawn(async move {
                timeout(patience, Report::ask(&endpoint, &access))
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
                Ok(Err(cause)) if !matches!(why, Cause::Refused(_) | Cause::Other(_)) => {
                    why = cause;
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }
    Err(why)
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
