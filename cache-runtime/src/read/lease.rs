//! The right to store what a load returns, and the lead of those who wait for it.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::background;
use crate::budget::Budget;
use crate::cache::Cache;
use crate::callsite::Callsite;
use crate::flight::{Landing, Leader, Mark};
#[cfg(cache_mutants)]
use crate::mutants::{Mutant, on};
use crate::outcome::SharedError;
use crate::record::KeyHash;
use crate::stats::Event;
use crate::store::{Acquired, Deadline, Fill, Name, StoreError, StoreResult};
use crate::tags::{Standing, Tags};
use crate::token::Token;

/// An attempt to load.
///
/// Dropped before its end it gives both up, the lease first, so that the next leader finds it free.
pub(super) struct Lease {
    cache: Cache,
    text: String,
    hash: KeyHash,
    tags: Tags,
    /// Captured before the load.
    stamps: Standing,
    token: Token,
    length: Duration,
    budget: Budget,
    /// The store holds the lease, or may: it did not answer.
    held: bool,
    leader: Option<Leader>,
    /// When the load began, and the flight's mark of it.
    begun: (Instant, Option<Mark>),
}

impl Lease {
    pub(super) fn new(
        cache: &Cache,
        text: &str,
        tags: &Tags,
        length: Duration,
        budget: Budget,
        leader: Option<Leader>,
    ) -> Self {
        let token = Token::random();
        #[cfg(cache_mutants)]
        let token = crate::mutants::lease_token(cache, token);
        Self {
            cache: cache.clone(),
            hash: KeyHash::of(text),
            text: text.to_owned(),
            tags: tags.clone(),
            stamps: Standing::none(),
            token,
            length,
            budget,
            held: false,
            leader,
            begun: (Instant::now(), None),
        }
    }

    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// What the load's value is to be stored with.
    pub(super) fn stamps(&self) -> &Standing {
        &self.stamps
    }

    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Asks for the lease once, and for the stamps of the entry's tags; also the mark set before, of a value that may be
    /// found instead. Where that was stored under these stamps, both were there after the mark: it goes to whoever joined
    /// before it.
    pub(super) async fn acquire(
        &mut self,
        reject: Option<Token>,
    ) -> (StoreResult<Acquired>, Option<Mark>) {
        let mark = self.mark();
        let Some(store) = self.cache.store() else {
            return (Err(StoreError::Down), mark);
        };
        // Between mark and command: what was journalled before a waiter joined is seen here, or was delivered before the
        // store is asked.
        if self.cache.journal().covers(&self.text) || self.tags.are_outdated(&self.cache) {
            return (Ok(Acquired::Fenced), mark);
        }
        // While the answer is out, and where there is none, the lease may be ours.
        self.held = true;
        let name = Name { text: &self.text, hash: self.hash };
        let by = self.budget.deadline();
        let acquire = store.acquire(name, self.token, self.length, reject, by);
        let (reply, stamps) = if self.tags.is_empty() {
            (acquire.await, Ok(Standing::none()))
        } else {
            Box::pin(async { tokio::join!(acquire, self.tags.capture(store, by)) }).await
        };
        self.held = match &reply {
            Ok(acquired) => matches!(acquired, Acquired::Leased),
            Err(error) => *error != StoreError::Down,
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
        if let Some(store) = self.cache.store()
            && !self.tags.is_empty()
        {
            let stamps = self.tags.capture(store, self.budget.deadline()).await;
            self.stamps = stamps.unwrap_or(Standing::Missing);
        }
        matches!(self.stamps, Standing::Stamps(_))
    }

    /// Time since `paused` was spent waiting for another loader.
    pub(super) fn waited(&mut self, paused: Instant) {
        self.budget.resume(paused);
    }

    /// The load begins.
    pub(super) fn begin(mut self: Box<Self>) -> Box<Self> {
        self.begun = (Instant::now(), self.mark());
        self
    }

    /// Keeps the lease while the load goes on.
    pub(super) async fn renew(&self) {
        if let Some(store) = self.cache.store() {
            let by = self.budget.anew().deadline();
            // Lost or unanswered: the fill will tell.
            _ = store.renew(self.name(), self.token, self.length, by).await;
        }
    }

    /// Stores the load's value if the lease, or the value seen before, still stands.
    pub(super) async fn fill(
        mut self,
        callsite: &'static Callsite,
        seen: Option<Token>,
        record: Vec<u8>,
        ttl: Duration,
    ) {
        self.budget.resume(self.begun.0);
        // Those who wait get the bytes as they were sent; they have no use for the times in them.
        let shared = self.leader.as_ref().filter(|leader| leader.is_awaited());
        let shared = shared.map(|_| Bytes::copy_from_slice(&record));
        let decides = self.mark();
        let fill = Fill { record, fresh: ttl, ttl };
        let (name, by) = (self.name(), self.budget.deadline());
        let filled = async {
            match (self.cache.store(), seen) {
                (None, _) => Ok(false),
                (Some(store), None) => store.fill(name, fill, by).await,
                (Some(store), Some(seen)) => store.refresh(name, seen, fill, by).await,
            }
        };
        let (filled, stands) = if shared.is_some() && !self.tags.is_empty() {
            tokio::join!(filled, self.stamps_stand(by))
        } else {
            (filled.await, true)
        };
        #[cfg(cache_mutants)]
        let decides = if on(Mutant::JoinLate) { self.mark() } else { decides };
        let stats = self.cache.recorder();
        let mark = match filled {
            Ok(true) => {
                stats.count(callsite, Event::Stored);
                if stands { decides } else { self.begun.1 }
            }
            Ok(false) => {
                stats.count(callsite, Event::Refused);
                self.begun.1
            }
            Err(error) => {
                stats.count(callsite, Event::of(&error));
                self.begun.1
            }
        };
        // Stored or void; where the store did not answer it runs out.
        self.held = false;
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            leader.land(&Landing::Value(shared, mark));
        }
    }

    /// Whether no tag has been invalidated since the load began: the fill itself does not tell. Asked after the mark, so
    /// that an invalidation that a waiter came after is seen here, in this process's journal if it was not delivered.
    async fn stamps_stand(&self, by: Deadline) -> bool {
        let Some(store) = self.cache.store() else { return false };
        !self.tags.are_outdated(&self.cache)
            && self.tags.read(store, by).await.is_ok_and(|present| present == self.stamps)
    }

    /// A value was found, or loaded but not to be stored: those who wait may have it.
    pub(super) fn pass_on(mut self, record: Bytes, mark: Option<Mark>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            self.give_up(move || leader.land(&Landing::Value(Some(record), mark)));
        }
    }

    /// The load's value is not to be stored.
    pub(super) fn decline(self, record: Bytes) {
        let mark = self.begun.1;
        self.pass_on(record, mark);
    }

    /// The load failed, or what it returned cannot be shared.
    pub(super) fn fail(mut self, error: Option<SharedError>) {
        if let (Some(leader), Some(mark)) = (self.leader.take(), self.begun.1) {
            self.give_up(move || leader.land(&Landing::Failed(error, mark)));
        }
    }

    /// The lead without the lease.
    pub(super) fn into_leader(mut self) -> Option<Leader> {
        self.leader.take()
    }

    fn mark(&self) -> Option<Mark> {
        self.leader.as_ref().map(Leader::mark)
    }

    fn name(&self) -> Name<'_> {
        Name { text: &self.text, hash: self.hash }
    }

    /// Releases the lease, in the background and on the connection that it was asked for on, then goes on.
    fn give_up(&mut self, then: impl FnOnce() + Send + 'static) {
        if !std::mem::take(&mut self.held) {
            then();
            return;
        }
        let (cache, text, token) = (self.cache.clone(), std::mem::take(&mut self.text), self.token);
        let (hash, budget) = (self.hash, self.budget);
        background::spawn(async move {
            if let Some(store) = cache.store() {
                let by = budget.anew().deadline();
                _ = store.release(Name { text: &text, hash }, token, by).await;
            }
            then();
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let leader = self.leader.take();
        self.give_up(move || drop(leader));
    }
}
