//! The first stage of a call: find a value, or decide how the body is to be run.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot::{self, error::RecvError};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout_at};

use super::attempt::{Attempt, guarded};
use super::lease::Lease;
use crate::budget::Budget;
use crate::cache::Cache;
use crate::call::Mode;
use crate::callsite::Callsite;
use crate::codec::Schema;
use crate::flight::{Leader, Role, Verdict};
use crate::key::Key;
use crate::outcome::Returns;
use crate::record::{self, Found, Value};
use crate::stats::Event;
use crate::store::{Acquired, Name, Store, StoreResult};
use crate::tags::{Standing, Tags};
use crate::token::{Token, random_fraction};

/// Shortest and longest pause between two looks at another process's lease.
const POLL: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// What a lookup comes to.
pub(super) enum Looked<R> {
    Found(R),
    Load(Attempt),
}

impl<R> Looked<R> {
    /// The body is run as if there were no cache.
    pub(super) fn alone() -> Self {
        Self::Load(Attempt::Alone)
    }

    /// The body is run for those who wait as well, but nothing is stored.
    pub(super) fn around(leader: Leader) -> Self {
        let mark = leader.mark();
        Self::Load(Attempt::Around(leader, mark))
    }
}

/// What a reply of the store means to the caller.
pub(super) enum Seen<R> {
    /// A value that decodes, with its record.
    Value(R, Value),
    None(Lack),
}

/// What a flight gives to one who waited for it.
pub(super) enum Waited<R> {
    Found(R),
    Lead(Leader),
    /// Nothing, in the time that there was.
    Alone,
}

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// Nothing, or nothing that may stay.
    Miss,
    /// A fence, somebody else's data, or no answer: the store is of no use for this call.
    Obstacle,
}

/// A call's search for a value.
pub(super) struct Lookup<'a, R, T> {
    pub(super) cache: &'a Cache,
    pub(super) callsite: &'static Callsite,
    returns: &'a Returns<R, T>,
    schema: Schema,
    pub(super) text: &'a str,
    tags: &'a Tags,
    pub(super) budget: Budget,
    /// A value that was found and cannot be used.
    pub(super) reject: Option<Token>,
    /// The value was not asked for: the lease is, and tells whether the call is a hit or a miss.
    unasked: bool,
    /// A `GET` more does not matter.
    one_of_many: bool,
}

impl<'a, R, T> Lookup<'a, R, T> {
    pub(super) fn new(
        cache: &'a Cache,
        key: &Key<T>,
        text: &'a str,
        tags: &'a Tags,
        returns: &'a Returns<R, T>,
    ) -> Self {
        let (settings, callsite) = (cache.settings(), key.callsite());
        let budget = callsite.policy().budget.unwrap_or(settings.budget);
        Self {
            cache,
            callsite,
            returns,
            schema: key.schema(settings.codec),
            text,
            tags,
            budget: Budget::new(budget),
            reject: None,
            unasked: false,
            one_of_many: false,
        }
    }

    /// The same for one id of a batch, whose `GET`s are one command.
    pub(super) fn of_many(self) -> Self {
        Self { one_of_many: true, ..self }
    }

    /// The hit path; the rest is boxed, so that a hit's future stays small.
    pub(super) async fn run(&mut self, mode: Mode) -> Looked<R> {
        let Some(store) = self.cache.store() else {
            return Looked::alone();
        };
        let name = Name::new(self.text);
        if mode == Mode::Through
            && let Some(waiting) = self.cache.flights().join(name)
        {
            return Box::pin(self.wait(name, waiting)).await;
        }
        let lack = if self.is_outdated() {
            self.count(Event::Outdated);
            Lack::Obstacle
        } else if mode == Mode::Through && self.spares_get() {
            // A command less for functions that are hardly ever called twice, and while a cache fills.
            self.unasked = true;
            Lack::Miss
        } else {
            let seen = if self.tags.is_empty() {
                let reply = store.get(name, self.budget.deadline()).await;
                self.examine(name, reply, &Standing::none())
            } else {
                Box::pin(self.look(store, name)).await
            };
            match (seen, mode) {
                // Kept longer by another function with the same key.
                (Seen::Value(_, value), Mode::Through)
                    if value.is_kept() && !Box::pin(self.is_fresh(name, &value)).await =>
                {
                    self.reject = Some(value.token());
                    Lack::Miss
                }
                (Seen::Value(result, _), Mode::Through) => {
                    self.count(Event::Hit);
                    return Looked::Found(result);
                }
                (Seen::Value(_, value), _) => {
                    return Box::pin(self.replace(value.token())).await;
                }
                (Seen::None(lack), _) => lack,
            }
        };
        Box::pin(self.miss(name, mode, lack)).await
    }

    /// Reads the entry together with the stamps of its tags.
    async fn look(&mut self, store: &Store, name: Name<'_>) -> Seen<R> {
        let (reply, stamps) = self.tags.read_with(store, name, self.budget.deadline()).await;
        self.judge(name, reply, stamps)
    }

    /// Reads the entry with the stamps of its tags, and the time by the clock of the store. One round trip.
    pub(super) async fn look_dated(&mut self, store: &Store, name: Name<'_>) -> (Seen<R>, u64) {
        let (tags, by) = (self.tags, self.budget.deadline());
        let read = async {
            if tags.is_empty() {
                (store.get(name, by).await, Ok(Standing::none()))
            } else {
                tags.read_with(store, name, by).await
            }
        };
        let ((reply, stamps), now_ms) = tokio::join!(read, store.now_ms(name, by));
        match now_ms {
            Ok(now_ms) => (self.judge(name, reply, stamps), now_ms),
            Err(error) => (self.examine(name, Err(error), &Standing::Missing), 0),
        }
    }

    fn judge(
        &mut self,
        name: Name<'_>,
        reply: StoreResult<Option<Bytes>>,
        stamps: StoreResult<Standing>,
    ) -> Seen<R> {
        match stamps {
            Ok(Standing::Fenced) => Seen::None(Lack::Obstacle),
            Ok(stamps) => self.examine(name, reply, &stamps),
            Err(error) => self.examine(name, Err(error), &Standing::Missing),
        }
    }

    /// The value is there and to be replaced.
    pub(super) async fn replace(&mut self, seen: Token) -> Looked<R> {
        let mut lease = self.lease(None);
        if lease.capture().await {
            Looked::Load(Attempt::Replace(lease.begin(), seen))
        } else {
            Looked::alone()
        }
    }

    /// Nothing usable was found: join those who load, or lead.
    async fn miss(&mut self, name: Name<'_>, mode: Mode, lack: Lack) -> Looked<R> {
        if !self.unasked {
            self.count(Event::Miss);
        }
        match (self.cache.flights(), mode, lack) {
            (_, Mode::Refresh, Lack::Obstacle) => Looked::alone(),
            (_, Mode::Refresh, Lack::Miss) => self.acquire(name, None).await,
            (flights, ..) => match flights.enter(name) {
                Role::Wait(waiting) => Box::pin(self.wait(name, waiting)).await,
                Role::Lead(leader) if lack == Lack::Obstacle => Looked::around(leader),
                Role::Lead(leader) => self.acquire(name, Some(leader)).await,
            },
        }
    }

    /// Waits for the flight of this process.
    async fn wait(&mut self, name: Name<'_>, waiting: oneshot::Receiver<Verdict>) -> Looked<R> {
        let paused = Instant::now();
        let verdict = timeout_at(paused + self.patience(), waiting).await;
        self.budget.resume(paused);
        match self.waited(name, verdict) {
            Waited::Found(result) => Looked::Found(result),
            Waited::Lead(leader) if leader.is_first() => self.acquire(name, Some(leader)).await,
            Waited::Lead(leader) => Looked::around(leader),
            Waited::Alone => Looked::alone(),
        }
    }

    /// What a flight's verdict, or none in time, means to one who waited.
    pub(super) fn waited(
        &self,
        name: Name<'_>,
        verdict: Result<Result<Verdict, RecvError>, Elapsed>,
    ) -> Waited<R> {
        match verdict {
            Ok(Ok(Verdict::Value(record))) => {
                if let Found::Value(value) = record::read(record, name.hash)
                    // Of a leader with other tags there is no telling whether it looked at these.
                    && self.tags.are_those_of(&value)
                    && let Some(result) = self.decode(&value)
                {
                    self.count(Event::Coalesced);
                    return Waited::Found(result);
                }
            }
            Ok(Ok(Verdict::Error(error))) => {
                if let Some(result) = (self.returns.sharing.unshare)(&error) {
                    self.count(Event::Coalesced);
                    return Waited::Found(result);
                }
            }
            Ok(Ok(Verdict::Lead(leader))) => return Waited::Lead(leader),
            // The flight is bound to end with a verdict; past its patience the caller helps itself.
            Ok(Err(_)) | Err(_) => self.count(Event::Impatient),
        }
        Waited::Alone
    }

    /// Asks the store for the value or the lease, and again while another process loads.
    pub(super) async fn acquire(&mut self, name: Name<'_>, leader: Option<Leader>) -> Looked<R> {
        // A leader that took over from another has not looked, or not lately: the value may be outdated by now.
        if self.is_outdated() {
            self.answered(Event::Miss);
            return leader.map_or_else(Looked::alone, Looked::around);
        }
        let patient = self.callsite.policy().lock
            && leader.as_ref().is_some_and(|leader| !leader.follows_failure());
        let mut lease = self.lease(leader);
        let since = Instant::now();
        let (mut waited, mut rejected) = (false, false);
        loop {
            let (reply, mark) = lease.acquire(self.reject).await;
            match reply {
                Ok(Acquired::Leased) => {
                    self.answered(Event::Miss);
                    if waited {
                        self.count(Event::Takeover);
                    }
                    return Looked::Load(Attempt::Leased(lease.begin()));
                }
                Ok(Acquired::Value(record)) => {
                    match self.examine(name, Ok(Some(record.clone())), lease.stamps()) {
                        Seen::Value(_, value)
                            if value.is_kept()
                                && !rejected
                                && !self.is_fresh(name, &value).await =>
                        {
                            self.reject = Some(value.token());
                            rejected = true;
                        }
                        Seen::Value(result, _) => {
                            self.answered(Event::Hit);
                            lease.pass_on(record, mark);
                            return Looked::Found(result);
                        }
                        // Of no use to this process: it is asked to give way, once.
                        Seen::None(Lack::Miss) if !rejected => rejected = true,
                        Seen::None(_) => break,
                    }
                }
                Ok(Acquired::Held(left)) if patient && since.elapsed() < self.patience() => {
                    self.answered(Event::Miss);
                    if !waited {
                        self.count(Event::LeaseWait);
                    }
                    waited = true;
                    let paused = Instant::now();
                    sleep(pause(since.elapsed()).min(left)).await;
                    lease.waited(paused);
                }
                Ok(Acquired::Foreign) => {
                    self.count(Event::Foreign);
                    break;
                }
                Ok(Acquired::Held(_) | Acquired::Fenced) => break,
                Err(error) => {
                    self.count(Event::of(&error));
                    break;
                }
            }
        }
        self.answered(Event::Miss);
        lease.into_leader().map_or_else(Looked::alone, Looked::around)
    }

    pub(super) fn lease(&self, leader: Option<Leader>) -> Box<Lease> {
        Box::new(self.unboxed_lease(leader))
    }

    pub(super) fn unboxed_lease(&self, leader: Option<Leader>) -> Lease {
        let length = self.callsite.policy().lease.unwrap_or(self.cache.settings().lease);
        Lease::new(self.cache, self.text, self.tags, length, self.budget, leader)
    }

    /// An invalidation of the entry, or of one of its tags, is still to be delivered.
    pub(super) fn is_outdated(&self) -> bool {
        self.tags.are_outdated(self.cache, self.text)
    }

    /// Whether a value that is kept longer than it is fresh still is.
    async fn is_fresh(&self, name: Name<'_>, value: &Value) -> bool {
        self.cache.is_fresh(name, value, self.budget).await.unwrap_or(false)
    }

    /// Tells what a reply means; remembers a value that is of no use, such as one that was stored under other stamps.
    fn examine(
        &mut self,
        name: Name<'_>,
        reply: StoreResult<Option<Bytes>>,
        stamps: &Standing,
    ) -> Seen<R> {
        let record = match reply {
            Ok(Some(record)) => record,
            Ok(None) => return Seen::None(Lack::Miss),
            Err(error) => {
                self.count(Event::of(&error));
                return Seen::None(Lack::Obstacle);
            }
        };
        match record::read(record, name.hash) {
            Found::Value(value) => {
                if stamps.are_those_of(&value)
                    && let Some(result) = self.decode(&value)
                {
                    return Seen::Value(result, value);
                }
                self.reject = Some(value.token());
                Seen::None(Lack::Miss)
            }
            Found::Lease | Found::Damaged => Seen::None(Lack::Miss),
            Found::Fence => Seen::None(Lack::Obstacle),
            Found::Foreign => {
                self.count(Event::Foreign);
                Seen::None(Lack::Obstacle)
            }
            // A copy of another key's record: the store has made sure that it is no mixed-up reply.
            Found::Misplaced(token) => {
                self.count(Event::Misplaced);
                self.reject = Some(token);
                Seen::None(Lack::Miss)
            }
        }
    }

    /// Decodes a value of this function's codec and version.
    fn decode(&self, value: &Value) -> Option<R> {
        let fits = value.codec() == self.schema.codec.id()
            && value.version() == self.schema.version
            && value.payload().len() <= self.cache.settings().max_value_bytes;
        if value.is_error() {
            return fits.then(|| guarded(|| self.recall(value)).flatten()).flatten();
        }
        let decode = || self.returns.decode(value.payload(), self.schema).ok();
        let decoded = fits.then(|| guarded(decode).flatten()).flatten();
        if decoded.is_none() {
            self.count(Event::Undecodable);
        }
        decoded
    }

    /// An error that is remembered, if this function and this process can.
    fn recall(&self, value: &Value) -> Option<R> {
        match (self.returns.errors?)().wire {
            Some(wire) => (wire.decode)(value.payload(), self.schema.codec).ok(),
            None => (self.returns.sharing.unshare)(&self.cache.errors().get(value.token())?),
        }
    }

    /// Whether the lease is asked for at once.
    fn spares_get(&self) -> bool {
        !self.one_of_many && self.cache.recorder().is_dry(self.callsite)
    }

    /// How long the call waits for others' loads.
    pub(super) fn patience(&self) -> Duration {
        self.callsite.policy().wait.unwrap_or(self.cache.settings().wait)
    }

    /// Counts the call as a hit or a miss, by what the first answer was, unless that has been done.
    fn answered(&mut self, event: Event) {
        if std::mem::take(&mut self.unasked) {
            self.count(event);
        }
    }

    pub(super) fn count(&self, event: Event) {
        self.cache.recorder().count(self.callsite, event);
    }
}

/// The pause before the next look at another process's lease: an eighth of the time waited so far, so that polling
/// delays nobody by much more than that, and at random, so that processes do not poll in step.
pub(super) fn pause(waited: Duration) -> Duration {
    (waited / 8).clamp(POLL.0, POLL.1).mul_f64(0.75 + random_fraction() / 2.0)
}
