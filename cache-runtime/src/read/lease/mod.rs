//! The right to store what a load returns, together with the lead of its flight.

mod fill;
mod renewal;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

pub(super) use self::renewal::Renewal;
use crate::engine::Core;
use crate::engine::background::RefreshClaim;
use crate::engine::flight::{Landed, Landing, Leader, Mark};
use crate::engine::tags::{Standing, Tags};
use crate::read::lookup::Entry;
use crate::read::stale::refresh_lease::{Beside, PAUSE, REST};
use crate::record::KeyHash;
use crate::record::token::Token;
use crate::store::{Acquire, Acquired, Name, Release, StoreError, StoreResult};
use crate::support::budget::Budget;
use crate::typing::Shared;

/// What waiters get from a load whose result is not stored.
pub(super) enum Share {
    Value(Landed),
    /// Nobody waited when it was to be made.
    Nothing,
    /// The load failed, or what it returned cannot be shared: waiters should not have to load one after the other.
    Failure(Option<Shared>),
}

impl Share {
    /// The end of a flight that this was decided at.
    pub(super) fn from(self, mark: Mark) -> Landing {
        match self {
            Self::Value(landed) => Landing::Value(Some(landed), mark),
            Self::Nothing => Landing::Value(None, mark),
            Self::Failure(error) => Landing::Failed(error, mark),
        }
    }
}

/// An attempt to load.
///
/// If it is dropped before its end, it gives up both, the lease first, so that the next leader finds it free.
pub(super) struct Lease {
    cache: Core,
    text: String,
    hash: KeyHash,
    tags: Tags,
    /// Captured before the load.
    stamps: Standing,
    token: Token,
    length: Duration,
    budget: Budget,
    /// The store holds the lease, or may hold it because it did not answer.
    held: bool,
    leader: Option<Leader>,
    /// The key of the lease, if the entry's value stays in its own key meanwhile.
    beside: Option<Beside>,
    /// When the load began, and the flight's mark of it.
    begun: (Instant, Option<Mark>),
}

impl Lease {
    pub(super) fn new(
        entry: &Entry,
        length: Duration,
        budget: Budget,
        leader: Option<Leader>,
    ) -> Self {
        Self {
            cache: entry.cache.clone(),
            hash: entry.hash,
            text: entry.text.clone(),
            tags: entry.tags.clone(),
            stamps: Standing::none(),
            token: Token::random(),
            length,
            budget,
            held: false,
            leader,
            beside: None,
            begun: (Instant::now(), None),
        }
    }

    /// The lease of a refresh, during which the entry's value stays until it is replaced.
    pub(super) fn beside(mut self, claim: Option<RefreshClaim>) -> Box<Self> {
        self.beside = Some(Beside::new(&self.text, claim));
        Box::new(self)
    }

    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// The stamps that the load's value is stored with.
    pub(super) fn stamps(&self) -> &Standing {
        &self.stamps
    }

    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Asks once for the lease and for the stamps of the entry's tags. Also returns the mark that was set before, for
    /// a value that may be found instead: if that was stored under these stamps, it was valid after the mark, so
    /// waiters that joined before the mark may have it.
    pub(super) async fn acquire(
        &mut self,
        reject: Option<Token>,
    ) -> (StoreResult<Acquired>, Option<Mark>) {
        let mark = self.mark();
        let Some(store) = self.cache.store() else {
            return (Err(StoreError::Down), mark);
        };
        // Checked between mark and command: an invalidation that was journalled before a waiter joined is either seen
        // here, or was delivered before the store is asked.
        if self.tags.are_outdated(&self.cache, &self.text) {
            // In the key beside the value, a fence would mean that its load failed a moment ago.
            let fenced =
                if self.beside.is_some() { Err(StoreError::Down) } else { Ok(Acquired::Fenced) };
            return (fenced, mark);
        }
        // Until the answer arrives, and if it never does, the lease may be ours.
        self.held = true;
        let by = self.budget.deadline();
        let request = Acquire { token: self.token, lease: self.length, reject };
        let acquire = store.send(self.place(), request, by);
        let (reply, stamps) = if self.tags.is_empty() || self.beside.is_some() {
            (acquire.await, Ok(Standing::none()))
        } else {
            Box::pin(async { tokio::join!(acquire, self.tags.capture(store, by)) }).await
        };
        self.held = match &reply {
            Ok(acquired) => matches!(acquired, Acquired::Leased),
            Err(error) => !error.is_unsent() && !matches!(error, StoreError::Refused(_)),
        };
        match stamps {
            Ok(stamps @ Standing::Stamps(_)) => {
                self.stamps = stamps;
                (reply, mark)
            }
            Ok(Standing::Missing | Standing::Fenced) => (reply.and(Ok(Acquired::Fenced)), mark),
            Err(error) => (Err(error), mark),
        }
    }

    /// Captures the stamps of the entry's tags for a load without the lease; whether its value may be stored.
    pub(super) async fn capture(&mut self) -> bool {
        if let Some(store) = self.cache.store() {
            let stamps = self.tags.capture(store, self.budget.deadline()).await;
            self.stamps = stamps.unwrap_or(Standing::Missing);
        }
        matches!(self.stamps, Standing::Stamps(_))
    }

    /// Excludes the time since `paused`, which was spent waiting for another loader.
    pub(super) fn waited(&mut self, paused: Instant) {
        self.budget.resume(paused);
    }

    /// The load begins.
    pub(super) fn begin(mut self: Box<Self>) -> Box<Self> {
        self.begun = (Instant::now(), self.mark());
        self
    }

    /// A value was found: waiters may have it.
    pub(super) fn pass_on(mut self, record: Bytes, mark: Option<Mark>) {
        self.end(Share::Value(Landed::encoded(record)), mark);
    }

    fn end(&mut self, share: Share, mark: Option<Mark>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            self.give_up(move || leader.land(&share.from(mark)));
        }
    }

    /// A value was found that is past its time to live, and is served: callers of the same function may have it.
    pub(super) fn pass_on_stale(mut self, record: Bytes, mark: Option<Mark>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            self.give_up(move || leader.land(&Landing::Stale(record, mark)));
        }
    }

    /// Makes this process leave the entry alone, as all others do: its load failed a moment ago.
    pub(super) fn rest(&mut self) {
        self.leave_alone(REST);
    }

    /// Makes this process leave the entry alone for a moment: another one is refreshing it, or the store does not
    /// answer.
    pub(super) fn pause(&mut self) {
        self.leave_alone(PAUSE);
    }

    fn leave_alone(&mut self, span: Duration) {
        match &mut self.beside {
            Some(beside) if beside.is_claimed() => beside.rest(Some(span)),
            _ => self.cache.background().rest(&self.text, span),
        }
    }

    /// Whether anybody waits for the load.
    pub(super) fn is_awaited(&self) -> bool {
        self.leader.as_ref().is_some_and(Leader::is_awaited)
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Somebody else has replaced the value meanwhile.
    pub(super) fn land(&mut self, record: Bytes, mark: Option<Mark>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            leader.land(&Landing::Value(Some(Landed::encoded(record)), mark));
        }
    }

    /// What the load returned is not to be stored.
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

    /// The entry.
    fn name(&self) -> Name<'_> {
        Name { text: &self.text, hash: self.hash }
    }

    /// The key that holds the lease itself.
    fn place(&self) -> Name<'_> {
        self.beside.as_ref().map_or_else(|| self.name(), Beside::name)
    }

    /// Releases the lease, in the background and on the connection that it was requested on, then runs `then`.
    fn give_up(&mut self, then: impl FnOnce() + Send + 'static) {
        if !std::mem::take(&mut self.held) {
            then();
            return;
        }
        let (cache, token, budget) = (self.cache.clone(), self.token, self.budget);
        let Name { text, hash } = self.place();
        let text = text.to_owned();
        self.cache.background().run(async move {
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
        // Asked for here: the lease may be given up by another task.
        let has_panicked = std::thread::panicking();
        self.give_up(move || match leader {
            Some(leader) if has_panicked => leader.land(&Landing::Panicked),
            leader => drop(leader),
        });
    }
}
