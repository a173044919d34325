//! One server, behind its breaker.

mod trust;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;
use tokio::task::AbortHandle;
use tokio::time::timeout_at;

use super::Settings;
use super::admission::Admission;
use super::breaker::{Breaker, Snapshot};
use super::bulk::{self, LargeKeys};
use super::link::{Link, Server};
use super::pieces::AT_ONCE;
use super::scripting::{self, Obstacle};
use super::session::Session;
use super::source::Source;
use super::supervisor::{Plan, Supervisor};
use super::turns::{Reading, Turn, Turns};
use super::url::{Access, Endpoint};
use crate::failure::Refusal;
use crate::store::{Deadline, StoreError, StoreResult, quiet};

/// A server that is connected to when it is first needed, and again whenever the connection is lost.
#[derive(Debug)]
pub(super) struct Node {
    plan: Arc<Plan>,
    breaker: Arc<Breaker>,
    supervisor: Mutex<Option<AbortHandle>>,
    turns: Arc<Turns>,
    /// Held by the call that asks for a sign of life.
    checking: AsyncMutex<()>,
    pieces: Arc<Turns>,
    bulk: Arc<Turns>,
    large: Arc<LargeKeys>,
}

impl Node {
    /// No task is spawned and no socket opened before the first call.
    pub(super) fn new(source: Source, access: Access, settings: Settings) -> Self {
        Self {
            breaker: Arc::new(Breaker::new(source.to_string(), Arc::clone(&settings.failures))),
            turns: Turns::new(settings.max_in_flight, source.to_string()),
            pieces: Turns::new(AT_ONCE, format!("{source}: pieces of batches")),
            bulk: Turns::new(bulk::AT_ONCE, format!("{source}: large values")),
            large: Arc::default(),
            plan: Arc::new(Plan { source, access, settings }),
            supervisor: Mutex::default(),
            checking: AsyncMutex::default(),
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

    /// A connection for calls that nothing has to be done for. It is what nearly every call gets, and it is found without
    /// a future.
    pub(super) fn session_at_hand(&self, deadline: Deadline) -> Option<Session<'_>> {
        let link = self.breaker.link();
        let link = link.as_ref().filter(|link| self.trusts(link, deadline))?;
        Some(Session::new(self, link))
    }

    /// A connection for calls, immediately; or by `deadline` while the first attempt to connect is in progress.
    pub(super) async fn session(&self, deadline: Deadline) -> StoreResult<Session<'_>> {
        match self.session_at_hand(deadline) {
            Some(session) => Ok(session),
            None if self.is_published() => Box::pin(self.verified(deadline)).await,
            // Nothing is boxed for that: for as long as the server is down, calls get no further.
            None if self.breaker.is_refusing() => Err(StoreError::Down),
            None => Box::pin(self.connected(deadline)).await,
        }
    }

    /// The present connection, whether or not there was a sign of life of late.
    fn published(&self) -> Option<Session<'_>> {
        self.breaker.link().as_ref().map(|link| Session::new(self, link))
    }

    fn is_published(&self) -> bool {
        self.breaker.link().is_some()
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

    /// For a write: has the server tried at once if there is no connection, and waits for the outcome, until `by`.
    pub(super) async fn hasten(&self, by: Deadline) {
        if self.is_refusing() {
            Box::pin(self.breaker.hasten(self.plan.settings.patience(), by)).await;
        }
    }

    /// Whether there is no connection, and a supervisor is reconnecting. Without one, the operation itself appoints it.
    pub(super) fn is_refusing(&self) -> bool {
        !self.is_published() && self.breaker.is_refusing()
    }

    /// Whether nothing is stored for the time being.
    pub(super) fn is_quiet(&self) -> bool {
        self.breaker.succession.quiet.is_on()
    }

    /// Stores nothing for as long as it takes until every process can have connected.
    pub(super) fn begin_quiet(&self) {
        self.breaker.succession.quiet.begin(quiet::span(self.plan.settings.connect_timeout));
    }

    /// Puts a supervisor on the runtime for connections, or else on the caller's.
    fn supervise(&self) -> StoreResult<()> {
        let runtime = self.plan.settings.runtime().ok_or(StoreError::Down)?;
        let mut supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(term) = self.breaker.claim() {
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
    pub(super) fn pieces(&self) -> Arc<Turns> {
        Arc::clone(&self.pieces)
    }

    /// The turns of calls with large values.
    pub(super) fn bulk_turns(&self) -> &Arc<Turns> {
        &self.bulk
    }

    /// The keys that are known to hold large values.
    pub(super) fn large_keys(&self) -> &LargeKeys {
        &self.large
    }

    /// Connection `epoch`, while calls use it.
    pub(super) fn link(&self, epoch: u64) -> Option<Arc<Link>> {
        self.breaker.link().as_ref().filter(|link| link.epoch == epoch).cloned()
    }

    /// Room for one more call on connection `epoch`, if there is any.
    pub(super) fn admit(&self, epoch: u64) -> Option<Admission<'_>> {
        self.turns.take().map(|turn| Admission::new(&self.breaker, epoch, turn))
    }

    /// The same, in line if there is none, until `by`.
    #[cold]
    pub(super) async fn admit_in_line(
        &self,
        epoch: u64,
        by: Deadline,
    ) -> StoreResult<Admission<'_>> {
        let turn = self.turns.wait(by).await?;
        self.admit_late(epoch, turn)
    }

    /// The same for a command that only reads, of these words, and for the others who send it.
    #[cold]
    pub(super) async fn admit_reader(
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
    pub(super) fn learn(&self, epoch: u64, lesson: impl FnOnce(&Server)) {
        if let Some(link) = self.breaker.link().as_ref()
            && link.epoch == epoch
        {
            lesson(&link.server);
        }
    }

    /// A script was refused on connection `epoch`, as any will be.
    #[cold]
    pub(super) fn loses_scripts(&self, epoch: u64, obstacle: Obstacle) {
        self.learn(epoch, |server| {
            if server.scripting.lose(obstacle) {
                scripting::tell_lost(&self.plan.source, obstacle);
                self.breaker.scriptless(epoch);
            }
        });
    }

    /// Drops connection `epoch`: a reply did not belong to its request.
    pub(super) fn kill(&self, epoch: u64) {
        self.breaker.kill(epoch);
    }

    /// The server behind connection `epoch` refuses writes: another may be the primary now.
    pub(super) fn deposed(&self, epoch: u64) {
        self.breaker.deposed(epoch);
    }

    /// Takes note of what the server behind connection `epoch` has refused.
    pub(super) fn refused(&self, epoch: u64, refusal: Refusal) {
        self.breaker.refused(epoch, &refusal);
        self.plan.settings.failures.note(refusal.into());
    }

    /// How to get in.
    pub(super) fn access(&self) -> &Access {
        &self.plan.access
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
