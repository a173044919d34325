//! One server, behind its breaker.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use redis::RedisResult;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;

use super::Settings;
use super::breaker::{Breaker, Snapshot};
use super::link::Server;
use super::session::Session;
use super::source::Source;
use super::supervisor::{Plan, Supervisor};
use super::url::{Access, Endpoint};
use crate::store::{Deadline, StoreError, StoreResult};

/// A server that is connected to when it is first needed, and again whenever the connection is lost.
#[derive(Debug)]
pub(super) struct Node {
    plan: Arc<Plan>,
    breaker: Arc<Breaker>,
    supervisor: Mutex<Option<AbortHandle>>,
    in_flight: AtomicUsize,
}

impl Node {
    /// No task is spawned and no socket opened before the first call.
    pub(super) fn new(source: Source, access: Access, settings: Settings) -> Self {
        Self {
            breaker: Arc::new(Breaker::new(source.to_string())),
            plan: Arc::new(Plan { source, access, settings }),
            supervisor: Mutex::default(),
            in_flight: AtomicUsize::new(0),
        }
    }

    /// Where the server is, and how to get in.
    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// Where the server is now: it may be another one than before.
    pub(super) fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.breaker)
    }

    /// A connection for calls, immediately; or by `deadline` while the first attempt to connect is in progress.
    pub(super) async fn session(&self, deadline: Deadline) -> StoreResult<Session<'_>> {
        match self.published() {
            Some(session) => Ok(session),
            // Nothing is boxed for that: for as long as the server is down, calls get no further.
            None if self.breaker.is_refusing() => Err(StoreError::Down),
            None => Box::pin(self.connected(deadline)).await,
        }
    }

    fn published(&self) -> Option<Session<'_>> {
        self.breaker.link().as_ref().map(|link| Session::new(self, link))
    }

    #[cold]
    async fn connected(&self, deadline: Deadline) -> StoreResult<Session<'_>> {
        if self.breaker.is_vacant() {
            self.supervise()?;
        }
        if self.breaker.is_connecting() {
            timeout_at(deadline, self.breaker.settled()).await.map_err(|_| StoreError::TimedOut)?;
        }
        self.published().ok_or(StoreError::Down)
    }

    /// Puts a supervisor on the caller's runtime.
    fn supervise(&self) -> StoreResult<()> {
        let runtime = Handle::try_current().map_err(|_| StoreError::Down)?;
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(term) = self.breaker.claim() {
            let successor =
                Supervisor::new(Arc::clone(&self.plan), Arc::clone(&self.breaker), term);
            let task = runtime.spawn(successor.run());
            if let Some(predecessor) = supervisor.replace(task.abort_handle()) {
                predecessor.abort();
            }
        }
        Ok(())
    }

    /// Room for one more call on connection `epoch`. If none is left, calls are shed rather than queued in front of a
    /// server that cannot keep up.
    pub(super) fn admit(&self, epoch: u64) -> StoreResult<Admission<'_>> {
        if self.in_flight.fetch_add(1, Relaxed) < self.plan.settings.max_in_flight {
            return Ok(Admission { node: self, epoch, is_concluded: false });
        }
        self.in_flight.fetch_sub(1, Relaxed);
        Err(StoreError::Down)
    }

    /// Remembers what was learnt about the server behind connection `epoch`.
    pub(super) fn learn(&self, epoch: u64, lesson: impl FnOnce(&Server)) {
        if let Some(link) = self.breaker.link().as_ref()
            && link.epoch == epoch
        {
            lesson(&link.server);
        }
    }

    /// Drops connection `epoch`: a reply did not belong to its request.
    pub(super) fn kill(&self, epoch: u64) {
        self.breaker.kill(epoch);
    }

    /// The server behind connection `epoch` refuses writes: another may be the primary now.
    pub(super) fn deposed(&self, epoch: u64) {
        self.breaker.deposed(epoch);
    }

    pub(super) fn on_succession(&self, told: impl Fn() + Send + Sync + 'static) {
        self.breaker.succession.tell(told);
    }

    /// Whether records of another primary are ignored.
    pub(super) fn distrusts(&self) -> bool {
        self.plan.settings.distrust
    }

    /// Where the server is, if it is always there.
    pub(super) fn endpoint(&self) -> Option<&Endpoint> {
        match &self.plan.source {
            Source::Fixed(endpoint) | Source::Member(endpoint) => Some(endpoint),
            Source::Primary(_) => None,
        }
    }

    /// Whether it has a part of the keys only.
    pub(super) fn is_member(&self) -> bool {
        matches!(self.plan.source, Source::Member(_))
    }

    /// Waits until calls are refused.
    pub(super) async fn lost(&self) {
        self.breaker.refusing().await;
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.breaker.snapshot()
    }

    /// Waits until the breaker or the connection has changed since `seen`.
    pub(super) async fn changed(&self, seen: Snapshot) -> Snapshot {
        self.breaker.changed(seen).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let supervisor = self.supervisor.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(supervisor) = supervisor {
            supervisor.abort();
        }
    }
}

/// A running call.
#[must_use]
pub(super) struct Admission<'a> {
    node: &'a Node,
    epoch: u64,
    is_concluded: bool,
}

impl Admission<'_> {
    /// Tells the breaker how the call went. Errors of the server are replies.
    pub(super) fn conclude<T>(mut self, reply: Result<RedisResult<T>, Elapsed>) -> StoreResult<T> {
        self.is_concluded = true;
        match reply {
            Ok(Ok(reply)) => {
                self.node.breaker.answered();
                Ok(reply)
            }
            // The breaker learns of that from the connection itself.
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => {
                self.node.breaker.timed_out(self.epoch);
                Err(StoreError::TimedOut)
            }
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.node.in_flight.fetch_sub(1, Relaxed);
        if !self.is_concluded {
            // Dropped by a caller whose patience was shorter than the deadline. If that is always so, nothing else
            // reveals that the server hangs.
            self.node.breaker.doubt(self.epoch);
        }
    }
}
