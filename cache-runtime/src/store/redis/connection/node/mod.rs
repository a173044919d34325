//! One server, behind its breaker.

mod sessions;
mod trust;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;
use tokio::task::AbortHandle;

use crate::error::Refusal;
use crate::metrics::{RoundTrips, ServerStats, StoreOperation};
use crate::store::redis::ConnectionSettings;
use crate::store::redis::connection::admission::Admission;
use crate::store::redis::connection::breaker::{Breaker, Snapshot};
use crate::store::redis::connection::large::LargeKeys;
use crate::store::redis::connection::link::Link;
use crate::store::redis::connection::plan::Plan;
use crate::store::redis::connection::server::Server;
use crate::store::redis::connection::supervisor::Supervisor;
use crate::store::redis::connection::turns::{Reading, Turn, Turns};
use crate::store::redis::script::supported::{self, Obstacle};
use crate::store::redis::topology::discovery::Source;
use crate::store::redis::url::{Access, Endpoint};
use crate::store::{StoreError, StoreResult, quiet};
use crate::support::budget::Deadline;

/// Pieces that are in flight to a server at once, of all operations together: calls on one key have
/// only so much before them. A server that executes one command after the other does not get more
/// done with more of them.
const PIECES_AT_ONCE: usize = 4;

/// Large values that are on their way at once, on one server: each is in memory several times.
const LARGE_AT_ONCE: usize = 4;

/// A server that is connected to when it is first needed, and again whenever the connection is
/// lost.
#[derive(Debug)]
pub(in crate::store) struct Node {
    plan: Arc<Plan>,
    breaker: Arc<Breaker>,
    supervisor: Mutex<Option<AbortHandle>>,
    turns: Arc<Turns>,
    /// Held by the call that asks for a sign of life.
    checking: AsyncMutex<()>,
    pieces: Arc<Turns>,
    bulk: Arc<Turns>,
    large: Arc<LargeKeys>,
    /// None if nothing is measured.
    round_trips: Option<Box<RoundTrips>>,
}

impl Node {
    /// No task is spawned and no socket opened before the first call.
    pub(in crate::store) fn new(
        source: Source,
        access: Access,
        settings: ConnectionSettings,
    ) -> Self {
        Self {
            breaker: Arc::new(Breaker::new(
                source.to_string(),
                Arc::clone(&settings.failures),
                settings.observer.clone(),
            )),
            turns: Turns::new(settings.max_in_flight, source.to_string()),
            pieces: Turns::new(PIECES_AT_ONCE, format!("{source}: pieces of batches")),
            bulk: Turns::new(LARGE_AT_ONCE, format!("{source}: large values")),
            large: Arc::default(),
            round_trips: settings.histograms.then(|| Box::new(RoundTrips::new())),
            plan: Arc::new(Plan { source, access, settings }),
            supervisor: Mutex::default(),
            checking: AsyncMutex::default(),
        }
    }

    /// Where the server is, and how to get in.
    pub(in crate::store) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// Where the server is now: it may be another one than before.
    pub(in crate::store) fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.breaker)
    }

    fn is_published(&self) -> bool {
        self.breaker.link().is_some()
    }

    /// For a write: has the server tried at once if there is no connection, and waits for the
    /// outcome, until `by`.
    pub(in crate::store) async fn hasten(&self, by: Deadline) {
        if self.is_refusing() {
            Box::pin(self.breaker.hasten(self.plan.settings.patience(), by)).await;
        }
    }

    /// Whether there is no connection, and a supervisor is reconnecting. Without one, the operation
    /// itself appoints it.
    pub(in crate::store) fn is_refusing(&self) -> bool {
        !self.is_published() && self.breaker.is_refusing()
    }

    /// Whether nothing is stored for the time being.
    pub(in crate::store) fn is_quiet(&self) -> bool {
        self.breaker.failovers.quiet.is_on()
    }

    /// Stores nothing for as long as it takes until every process can have connected.
    pub(in crate::store) fn begin_quiet(&self) {
        self.breaker.failovers.quiet.begin(quiet::span(self.plan.settings.connect_timeout));
    }

    /// Puts a supervisor on the runtime for connections, or else on the caller's.
    fn supervise(&self) -> StoreResult<()> {
        let runtime = self.plan.settings.runtime().ok_or(StoreError::Down)?;
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(term) = self.breaker.acquire() {
            let (plan, breaker) = (Arc::clone(&self.plan), Arc::clone(&self.breaker));
            let successor = Supervisor::new(plan, breaker, Arc::clone(&self.large), term);
            let task = runtime.spawn(successor.run());
            if let Some(predecessor) = supervisor.replace(task.abort_handle()) {
                predecessor.abort();
            }
        }
        Ok(())
    }

    /// The turns of large pieces of operations on many keys.
    pub(in crate::store) fn pieces(&self) -> Arc<Turns> {
        Arc::clone(&self.pieces)
    }

    /// The turns of calls with large values.
    pub(in crate::store) fn bulk_turns(&self) -> &Arc<Turns> {
        &self.bulk
    }

    /// The keys that are known to hold large values.
    pub(in crate::store) fn large_keys(&self) -> &LargeKeys {
        &self.large
    }

    /// Connection `epoch`, while calls use it.
    pub(in crate::store) fn link(&self, epoch: u64) -> Option<Arc<Link>> {
        self.breaker.link().as_ref().filter(|link| link.epoch == epoch).cloned()
    }

    /// Room for one more call on connection `epoch`, if there is any.
    pub(in crate::store) fn admit(&self, epoch: u64) -> Option<Admission<'_>> {
        self.turns.take().map(|turn| Admission::new(&self.breaker, epoch, turn))
    }

    /// The same, in line if there is none, until `by`.
    #[cold]
    pub(in crate::store) async fn admit_in_line(
        &self,
        epoch: u64,
        by: Deadline,
    ) -> StoreResult<Admission<'_>> {
        let turn = self.turns.wait(by).await?;
        self.admit_late(epoch, turn)
    }

    /// The same for a command that only reads, of these words, and for the others who send it.
    #[cold]
    pub(in crate::store) async fn admit_reader(
        &self,
        epoch: u64,
        words: &[u8],
        by: Deadline,
    ) -> StoreResult<Reading<Admission<'_>>> {
        Ok(match self.turns.wait_to_read(epoch, words, by).await? {
            Reading::Turn(turn, others) => Reading::Turn(self.admit_late(epoch, turn)?, others),
            Reading::Told(reply) => Reading::Told(reply),
            Reading::Nothing => Reading::Nothing,
        })
    }

    /// While a call was in line, its connection may have been withdrawn: then nothing is sent.
    fn admit_late<'a>(&'a self, epoch: u64, turn: Turn<'a>) -> StoreResult<Admission<'a>> {
        if self.breaker.is_published(epoch) {
            Ok(Admission::new(&self.breaker, epoch, turn))
        } else {
            Err(StoreError::Down)
        }
    }

    /// Remembers what was learnt about the server behind connection `epoch`.
    pub(in crate::store) fn learn(&self, epoch: u64, lesson: impl FnOnce(&Server)) {
        if let Some(link) = self.breaker.link().as_ref()
            && link.epoch == epoch
        {
            lesson(&link.server);
        }
    }

    /// A script was refused on connection `epoch`, as any will be.
    #[cold]
    pub(in crate::store) fn loses_scripts(&self, epoch: u64, obstacle: Obstacle) {
        self.learn(epoch, |server| {
            if server.scripting.lose(obstacle) {
                supported::tell_lost(&self.plan.source, obstacle);
                self.breaker.scriptless(epoch);
            }
        });
    }

    /// Drops connection `epoch`: a reply did not belong to its request.
    pub(in crate::store) fn kill(&self, epoch: u64) {
        self.breaker.kill(epoch);
    }

    /// The server behind connection `epoch` refuses writes: another may be the primary now.
    pub(in crate::store) fn demoted(&self, epoch: u64) {
        self.breaker.demoted(epoch);
    }

    /// Takes note of what the server behind connection `epoch` has refused.
    pub(in crate::store) fn refused(&self, epoch: u64, refusal: Refusal) {
        self.breaker.refused(epoch, &refusal);
        self.plan.settings.failures.note(refusal.into());
    }

    /// How to get in.
    pub(in crate::store) fn access(&self) -> &Access {
        &self.plan.access
    }

    pub(in crate::store) fn on_failover(&self, observer: impl Fn() + Send + Sync + 'static) {
        self.breaker.failovers.observe(observer);
    }

    /// Whether records of another primary are ignored.
    pub(in crate::store) fn distrusts(&self) -> bool {
        self.plan.settings.distrust
    }

    /// Where the server is, if it is always there.
    pub(in crate::store) fn endpoint(&self) -> Option<&Endpoint> {
        match &self.plan.source {
            Source::Fixed(endpoint) | Source::Member(endpoint) => Some(endpoint),
            Source::Primary(_) => None,
        }
    }

    /// Whether it has a part of the keys only.
    pub(in crate::store) fn is_member(&self) -> bool {
        matches!(self.plan.source, Source::Member(_))
    }

    /// Waits until calls are refused.
    pub(in crate::store) async fn lost(&self) {
        self.breaker.refusing().await;
    }

    /// Measures an operation that was sent, and why it has no result, if it has none.
    pub(in crate::store) fn took(
        &self,
        operation: StoreOperation,
        error: Option<&StoreError>,
        took: Duration,
    ) {
        let is_unsent = error.is_some_and(StoreError::is_unsent);
        if let Some(round_trips) = self.round_trips.as_ref().filter(|_| !is_unsent) {
            round_trips.record(operation, error.and_then(StoreError::failure), took);
        }
    }

    pub(in crate::store) fn stats(&self) -> ServerStats {
        let Snapshot { phase, epoch, .. } = self.snapshot();
        ServerStats {
            address: self.plan.source.to_string(),
            breaker: phase,
            connections: epoch,
            operations: self.round_trips.as_ref().map_or_else(Vec::new, |it| it.snapshot()),
        }
    }

    pub(in crate::store) fn snapshot(&self) -> Snapshot {
        self.breaker.snapshot()
    }

    /// Waits until the breaker or the connection has changed since `seen`.
    pub(in crate::store) async fn changed(&self, seen: Snapshot) -> Snapshot {
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
