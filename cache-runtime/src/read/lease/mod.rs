//! The right to store what a load returns, together with the lead of its flight.

mod alias;
mod fill;
mod refresh_lease;
mod renewal;
mod tags;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

pub(super) use self::alias::{Captured, NOWHERE};
use self::refresh_lease::{PAUSE, REST, RefreshLease};
pub(super) use self::renewal::Renewal;
use crate::engine::background::RefreshClaim;
use crate::engine::flight::{Landed, Landing, Leader, Mark};
use crate::engine::tags::Standing;
use crate::read::call::ReadCall;
use crate::record::token::Token;
use crate::store::{Acquire, Acquired, Name, Release, StoreError, StoreResult};
use crate::support::budget::Budget;
use crate::typing::Shared;

/// What waiters get from a load whose result is not stored.
pub(super) enum Share {
    Value(Landed),
    /// No caller waited when the copy for waiters was to be made.
    Nothing,
    /// The load failed, or what it returned cannot be shared: waiters should not have to load one
    /// after the other.
    Failure(Option<Shared>),
}

impl Share {
    /// The end of a flight whose result was decided right after this mark.
    pub(super) fn landing(self, mark: Mark) -> Landing {
        match self {
            Self::Value(landed) => Landing::Value(Some(landed), mark),
            Self::Nothing => Landing::Value(None, mark),
            Self::Failure(error) => Landing::Failed(error, mark),
        }
    }
}

/// A load of an entry: the lease in the store, if it is held, and the lead of the flight in this
/// process, if there is one.
///
/// If it is dropped before its end, it gives up both, the lease first ([`Self::give_up`]).
pub(super) struct Lease {
    /// A copy, as the lease may be given up after the call has ended.
    call: ReadCall,
    /// The stamps of the entry's tags, captured before the load.
    stamps: Standing,
    /// The stamp of the epoch, for tags that nobody guessed; see
    /// [`of_value`](crate::engine::tags::of_value).
    epoch: Option<Token>,
    /// Whether there are such tags, whose stamps are captured before the value is stored.
    is_unsettled: bool,
    /// What was captured of the entity, if the entry's key is an alias.
    captured: Option<Captured>,
    token: Token,
    length: Duration,
    budget: Budget,
    /// The store holds the lease, or may hold it because it did not answer.
    held: bool,
    leader: Option<Leader>,
    /// The key of the lease, if the entry's value stays in its own key meanwhile.
    refresh: Option<RefreshLease>,
    /// When the load began, and the flight's mark of that.
    begun: (Instant, Option<Mark>),
}

impl Lease {
    pub(super) fn new(call: &ReadCall, budget: Budget, leader: Option<Leader>) -> Self {
        Self {
            call: call.clone(),
            stamps: Standing::none(),
            epoch: None,
            is_unsettled: false,
            captured: None,
            token: Token::random(),
            length: call.callsite.policy().lease.unwrap_or(call.cache.settings().lease),
            budget,
            held: false,
            leader,
            refresh: None,
            begun: (Instant::now(), None),
        }
    }

    /// The lease of a refresh, during which the entry's value stays until it is replaced.
    pub(super) fn for_refresh(mut self, claim: Option<RefreshClaim>) -> Box<Self> {
        self.refresh = Some(RefreshLease::new(&self.call.text, claim));
        Box::new(self)
    }

    pub(super) fn token(&self) -> Token {
        self.token
    }

    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Asks once for the lease and for the stamps of the entry's tags. Also returns the mark that
    /// was set before, for a value that may be found instead: if that was stored under these
    /// stamps, it was valid after the mark, so waiters that joined before the mark may have it.
    pub(super) async fn acquire(
        &mut self,
        reject: Option<Token>,
    ) -> (StoreResult<Acquired>, Option<Mark>) {
        let mark = self.mark();
        let Some(store) = self.call.cache.store() else {
            return (Err(StoreError::Down), mark);
        };
        // The journal is asked between mark and command. The other way round:
        //
        //   leader: finds the journal empty
        //   writer: commits; its invalidation is not delivered, and is journalled
        //   waiter: joins
        //   leader: sets the mark, finds the old value in the store, lands it with the mark
        //
        // and the waiter would take the old value, which it must not: it joined after the write.
        // In this order, a write that was journalled before the waiter joined is in the journal
        // here, or was delivered before the store is asked.
        if self.call.is_outdated() {
            // In the key of a refresh lease, a fence would mean that a load failed a moment ago.
            let fenced =
                if self.refresh.is_some() { Err(StoreError::Down) } else { Ok(Acquired::Fenced) };
            return (fenced, mark);
        }
        // Until the answer arrives, and if it never does, the store may have granted the lease.
        self.held = true;
        let by = self.budget.deadline();
        let request = Acquire { token: self.token, lease: self.length, reject };
        let acquire = store.send(self.place(), request, by);
        let (reply, stamps) = if self.call.tags.is_empty() || self.refresh.is_some() {
            (acquire.await, Ok((Standing::none(), None)))
        } else {
            Box::pin(async { tokio::join!(acquire, self.capture_all(store, by)) }).await
        };
        self.held = match &reply {
            Ok(acquired) => matches!(acquired, Acquired::Leased),
            Err(error) => !error.is_unsent() && !matches!(error, StoreError::Refused(_)),
        };
        match stamps {
            Ok((stamps @ Standing::Stamps(_), epoch)) => {
                (self.stamps, self.epoch) = (stamps, epoch);
                (reply, mark)
            }
            Ok((Standing::Missing | Standing::Fenced, _)) => {
                (reply.and(Ok(Acquired::Fenced)), mark)
            }
            Err(error) => (Err(error), mark),
        }
    }

    /// Excludes the time since `paused`, which was spent waiting for another loader.
    pub(super) fn waited(&mut self, paused: Instant) {
        self.budget.resume(paused);
    }

    /// Notes that the load begins, and marks that.
    pub(super) fn begin(mut self: Box<Self>) -> Box<Self> {
        self.begun = (Instant::now(), self.mark());
        self
    }

    /// A value was found instead: waiters may have it.
    pub(super) fn pass_on(mut self, record: Bytes, mark: Option<Mark>) {
        self.end(Share::Value(Landed::encoded(record)), mark);
    }

    fn end(&mut self, share: Share, mark: Option<Mark>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            self.give_up(move || leader.land(&share.landing(mark)));
        }
    }

    /// A value was found that is past its time to live, and is served: callers of the same function
    /// may have it.
    pub(super) fn pass_on_stale(mut self, record: Bytes, mark: Option<Mark>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            self.give_up(move || leader.land(&Landing::Stale(record, mark)));
        }
    }

    /// Makes this process leave the entry alone, as all others do: its load failed a moment ago.
    pub(super) fn rest(&mut self) {
        self.leave_alone(REST);
    }

    /// Makes this process leave the entry alone for a moment: another process is refreshing it, or
    /// the store does not answer.
    pub(super) fn pause(&mut self) {
        self.leave_alone(PAUSE);
    }

    fn leave_alone(&mut self, span: Duration) {
        match &mut self.refresh {
            Some(lease) if lease.is_claimed() => lease.rest(Some(span)),
            _ => self.call.cache.background().rest(&self.call.text, span),
        }
    }

    /// Whether this is the load of a flight, so that callers may be waiting for it.
    pub(super) fn is_led(&self) -> bool {
        self.leader.is_some()
    }

    /// Whether other callers of this process are waiting for the load.
    pub(super) fn is_awaited(&self) -> bool {
        self.leader.as_ref().is_some_and(Leader::is_awaited)
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Another process has replaced the value meanwhile: waiters get the new one.
    pub(super) fn land(&mut self, record: Bytes, mark: Option<Mark>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            leader.land(&Landing::Value(Some(Landed::encoded(record)), mark));
        }
    }

    /// Ends a load whose result is not to be stored.
    pub(super) fn decline(mut self, share: Share) {
        let mark = self.begun.1;
        self.end(share, mark);
    }

    /// Gives up the lease and keeps the lead.
    pub(super) fn into_leader(mut self) -> Option<Leader> {
        self.leader.take()
    }

    pub(super) fn take_leader(&mut self) -> Option<Leader> {
        self.leader.take()
    }

    pub(super) fn mark(&self) -> Option<Mark> {
        self.leader.as_ref().map(Leader::mark)
    }

    /// The key of the entry.
    fn name(&self) -> Name<'_> {
        self.call.name()
    }

    /// The key that holds the lease itself.
    fn place(&self) -> Name<'_> {
        self.refresh.as_ref().map_or_else(|| self.name(), RefreshLease::name)
    }

    /// Releases the lease in the background, then runs `then`, which ends the lead of the flight.
    ///
    /// The order matters. If the lead ended first, then
    ///
    /// 1. a waiter would be made the leader, and would ask the store for the lease,
    /// 2. the store would still hold this lease, and answer that another process is loading,
    /// 3. the new leader would wait for a load that does not run, until it asks again.
    ///
    /// The release goes over the connection of the request for the lease, behind it. On another
    /// connection it could be executed before a request that has not been answered, which would
    /// then take a lease that is never released.
    fn give_up(&mut self, then: impl FnOnce() + Send + 'static) {
        if !std::mem::take(&mut self.held) {
            then();
            return;
        }
        let (cache, token, budget) = (self.call.cache.clone(), self.token, self.budget);
        let Name { text, hash } = self.place();
        let text = text.to_owned();
        self.call.cache.background().run(async move {
            if let Some(store) = cache.store() {
                let by = budget.anew().deadline();
                _ = store.send(Name { text: &text, hash }, Release { token }, by).await;
            }
            then();
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let leader = self.leader.take();
        // Found out here, because the lease may be given up by another task.
        let has_panicked = std::thread::panicking();
        self.give_up(move || match leader {
            Some(leader) if has_panicked => leader.land(&Landing::Panicked),
            leader => drop(leader),
        });
    }
}
