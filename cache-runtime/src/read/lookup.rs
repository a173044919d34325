//! The first stage of a call: finds a value, or decides how to run the body.

use tokio::sync::oneshot;

use super::attempt::Attempt;
use super::look::{Lack, Seen};
use crate::budget::Budget;
use crate::cache::Cache;
use crate::call::Mode;
use crate::callsite::Callsite;
use crate::codec::Schema;
use crate::flight::{Asked, Leader, Role, Verdict};
use crate::key::Key;
use crate::outcome::Returns;
use crate::record::Value;
use crate::stats::Event;
use crate::store::Name;
use crate::tags::{Standing, Tags};
use crate::token::Token;

/// The result of a lookup.
pub(super) enum Looked<R> {
    Found(R),
    Load(Attempt),
}

impl<R> Looked<R> {
    /// Run the body as if there were no cache.
    pub(super) fn alone() -> Self {
        Self::Load(Attempt::Alone)
    }

    /// Run the body for the waiters as well, but store nothing.
    pub(super) fn around(leader: Leader) -> Self {
        let mark = leader.mark();
        Self::Load(Attempt::Around(leader, mark))
    }
}

/// What is known of an entry before anything is done about it.
pub(super) enum Known<R> {
    /// Another call in this process is loading it.
    Loading(oneshot::Receiver<Verdict>),
    Seen(Seen<R>),
}

/// A call's search for a value.
pub(super) struct Lookup<'a, R, T> {
    pub(super) cache: &'a Cache,
    pub(super) callsite: &'static Callsite,
    pub(super) returns: &'a Returns<R, T>,
    pub(super) schema: Schema,
    /// The entry: its key is hashed once for all that a call does with it.
    pub(super) name: Name<'a>,
    pub(super) tags: &'a Tags,
    pub(super) budget: Budget,
    /// A value that was found and cannot be used.
    pub(super) reject: Option<Token>,
    /// The value was not asked for: the lease is, and tells whether the call is a hit or a miss.
    pub(super) unasked: bool,
    /// The batch that this is one id of, and for which one more `GET` does not matter.
    batch: Option<&'a (dyn Fn() -> Asked + Send + Sync)>,
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
            name: Name::new(text),
            tags,
            budget: Budget::new(budget),
            reject: None,
            unasked: false,
            batch: None,
        }
    }

    /// The same for one id of a batch, whose `GET`s are one command. `batch` says what all of it asks for.
    pub(super) fn of_many(self, batch: &'a (dyn Fn() -> Asked + Send + Sync)) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// What the call asks for: it is given no error of a call that asked for anything else.
    pub(super) fn asked(&self) -> Asked {
        if (self.returns.nature)().by_hand {
            return Asked::by_hand();
        }
        self.batch.map_or_else(|| Asked::one(self.callsite), |batch| batch())
    }

    /// The hit path; the rest is boxed, so that a hit's future stays small.
    pub(super) async fn run(&mut self, mode: Mode) -> Looked<R> {
        let Some(store) = self.cache.store() else {
            return Looked::alone();
        };
        let known = if let Some(known) = self.begin(mode) {
            known
        } else {
            let seen = if self.tags.is_empty() {
                let reply = store.get(self.name, self.budget.deadline()).await;
                self.examine(self.name, reply, &Standing::none())
            } else {
                Box::pin(self.look(store, self.name)).await
            };
            match self.hit(mode, seen) {
                Ok(result) => return Looked::Found(result),
                Err(known) => known,
            }
        };
        Box::pin(self.go_on(mode, known)).await
    }

    /// What is known without a look into the store; `None` if a look is needed.
    pub(super) fn begin(&mut self, mode: Mode) -> Option<Known<R>> {
        if mode == Mode::Through
            && let Some(waiting) = self.cache.flights().join(self.name, || self.asked())
        {
            return Some(Known::Loading(waiting));
        }
        if self.is_outdated() {
            self.count(Event::Outdated);
            return Some(Known::Seen(Seen::None(Lack::Obstacle)));
        }
        if mode == Mode::Through && self.spares_get() {
            // Saves a command for functions that are hardly ever called twice, and while a cache fills.
            self.unasked = true;
            return Some(Known::Seen(Seen::None(Lack::Miss)));
        }
        None
    }

    /// The value, if it can be returned as it is.
    pub(super) fn hit(&self, mode: Mode, seen: Seen<R>) -> Result<R, Known<R>> {
        match seen {
            Seen::Value(result, value) if mode == Mode::Through && !value.is_kept() => {
                self.count(Event::Hit);
                Ok(result)
            }
            seen => Err(Known::Seen(seen)),
        }
    }

    /// Everything else. What asks the store is boxed by itself: where the store is of no use, little has been allocated.
    pub(super) async fn go_on(&mut self, mode: Mode, known: Known<R>) -> Looked<R> {
        let name = self.name;
        match (known, mode) {
            (Known::Loading(waiting), _) => Box::pin(self.wait(name, waiting)).await,
            // Kept longer by another function with the same key.
            (Known::Seen(Seen::Value(result, value)), Mode::Through) => {
                if Box::pin(self.is_fresh(name, &value)).await {
                    self.count(Event::Hit);
                    return Looked::Found(result);
                }
                self.reject = Some(value.token());
                self.miss(name, mode, Lack::Miss).await
            }
            (Known::Seen(Seen::Value(_, value)), _) => Box::pin(self.replace(value.token())).await,
            (Known::Seen(Seen::None(lack)), _) => self.miss(name, mode, lack).await,
        }
    }

    /// Nothing usable was found: join a flight, or lead one.
    async fn miss(&mut self, name: Name<'_>, mode: Mode, lack: Lack) -> Looked<R> {
        if !self.unasked {
            self.count(Event::Miss);
        }
        match (self.cache.flights(), mode, lack) {
            (_, Mode::Refresh, Lack::Obstacle) => Looked::alone(),
            (_, Mode::Refresh, Lack::Miss) => Box::pin(self.acquire(name, None)).await,
            (flights, ..) => match flights.enter(name, self.asked()) {
                Role::Wait(waiting) => Box::pin(self.wait(name, waiting)).await,
                Role::Lead(leader) if lack == Lack::Obstacle => Looked::around(leader),
                Role::Lead(leader) => Box::pin(self.acquire(name, Some(leader))).await,
            },
        }
    }

    /// Whether an invalidation of the entry or of one of its tags has not been delivered yet.
    pub(super) fn is_outdated(&self) -> bool {
        self.tags.are_outdated(self.cache, self.name.text)
    }

    /// Whether a value that is kept longer than it is fresh is still fresh.
    pub(super) async fn is_fresh(&self, name: Name<'_>, value: &Value) -> bool {
        self.cache.is_fresh(name, value, self.budget).await.unwrap_or(false)
    }

    /// Whether the lease is asked for at once.
    fn spares_get(&self) -> bool {
        self.batch.is_none() && self.cache.recorder().is_dry(self.callsite)
    }

    /// Counts the call as a hit or a miss, according to the first answer, unless it has been counted.
    pub(super) fn answered(&mut self, event: Event) {
        if std::mem::take(&mut self.unasked) {
            self.count(event);
        }
    }

    pub(super) fn count(&self, event: Event) {
        self.cache.recorder().count(self.callsite, event);
    }
}
