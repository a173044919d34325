//! The first stage of a call: finds a value, or decides how to run the body.

mod acquire;
pub(crate) mod aside;
pub(crate) mod first_look;
pub(crate) mod interpret;
pub(crate) mod wait;

use tokio::sync::oneshot;

use self::first_look::{Lack, Reply, Seen};
use crate::codec::Schema;
use crate::engine::flight::{Asked, Leader, Role, Verdict};
use crate::engine::tags::Tags;
use crate::engine::{Core, Mode};
use crate::key::Untyped;
use crate::metrics::Event;
use crate::policy::Callsite;
use crate::read::load::desk::Desk;
use crate::read::load::outcome::Attempt;
use crate::read::load::steps::Memory;
use crate::record::token::Token;
use crate::record::{KeyHash, Value};
use crate::store::Name;
use crate::support::budget::Budget;

/// The entry of a call.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) cache: Core,
    pub(super) callsite: &'static Callsite,
    pub(super) schema: Schema,
    /// Its key, with the namespace.
    pub(super) text: String,
    pub(super) hash: KeyHash,
    pub(super) tags: Tags,
}

/// The result of a lookup.
pub(super) enum Looked {
    /// A value, which is the result of the call by now.
    Found,
    Load(Attempt),
}

impl Looked {
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
pub(super) enum Known {
    /// Another call in this process is loading it.
    Loading(oneshot::Receiver<Verdict>),
    Seen(Seen),
}

/// A call's search for a value.
pub(super) struct Lookup<'a> {
    pub(super) entry: Entry,
    pub(super) budget: Budget,
    /// A value that was found and cannot be used.
    pub(super) reject: Option<Token>,
    /// The value was not asked for: the lease is, and tells whether the call is a hit or a miss.
    pub(super) unasked: bool,
    /// How errors of the function are remembered, if they are.
    pub(super) memory: Option<Memory>,
    /// It is a call by hand, of no function.
    by_hand: bool,
    /// Where it asks what becomes the result. None before there is a question.
    pub(super) desk: Option<Desk>,
    /// Whether a value of another release in the key leads to the key [beside](super::aside) it.
    pub(super) steps_aside: bool,
    /// The batch that this is one id of, and for which one more `GET` does not matter.
    batch: Option<&'a (dyn Fn() -> Asked + Send + Sync)>,
}

impl Entry {
    /// The entry of this key in this cache.
    pub(super) fn new(cache: Core, key: Untyped) -> Self {
        let tags = Tags::new(&cache, key.tags(), key.longest_life());
        let schema = key.schema(cache.settings().codec);
        let (callsite, text) = (key.callsite, cache.full_text_of(key.text));
        Self { hash: KeyHash::of(&text), cache, callsite, schema, text, tags }
    }

    pub(super) fn name(&self) -> Name<'_> {
        Name { text: &self.text, hash: self.hash }
    }

    /// Whether an invalidation of the entry or of one of its tags has not been delivered yet. It counts as executed.
    pub(super) fn is_outdated(&self) -> bool {
        self.tags.are_outdated(&self.cache, &self.text)
    }

    pub(super) fn count(&self, event: Event) {
        self.cache.recorder().count(self.callsite, event);
    }
}

impl<'a> Lookup<'a> {
    pub(super) fn new(entry: Entry, memory: Option<Memory>, by_hand: bool) -> Self {
        let budget = entry.callsite.policy().budget.unwrap_or(entry.cache.settings().budget);
        Self {
            entry,
            budget: Budget::new(budget),
            reject: None,
            unasked: false,
            memory,
            by_hand,
            desk: None,
            steps_aside: false,
            batch: None,
        }
    }

    /// The same for one id of a batch, whose `GET`s are one command. `batch` says what all of it asks for.
    pub(super) fn of_many(self, batch: &'a (dyn Fn() -> Asked + Send + Sync)) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// What the call asks for: it is given no error of a call that asked for anything else.
    pub(super) fn asked(&self) -> Asked {
        if self.by_hand {
            return Asked::by_hand();
        }
        self.batch.map_or_else(|| Asked::one(self.entry.callsite), |batch| batch())
    }

    pub(super) fn name(&self) -> Name<'_> {
        self.entry.name()
    }

    /// What is known without a look into the store; `None` if a look is needed.
    pub(super) fn begin(&mut self, mode: Mode) -> Option<Known> {
        if mode == Mode::Through
            && let Some(waiting) = self.join()
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

    /// Whether what was seen is the result of the call as it is.
    pub(super) fn is_hit(&self, mode: Mode, seen: &Seen) -> bool {
        let is_hit =
            matches!(seen, Seen::Value(value) if mode == Mode::Through && !value.is_kept());
        if is_hit {
            self.count(Event::Hit);
        }
        is_hit
    }

    /// Everything else. What asks the store is boxed by itself: where the store is of no use, little has been allocated.
    pub(super) async fn go_on(&mut self, mode: Mode, known: Known) -> Looked {
        match (known, mode) {
            (Known::Loading(waiting), _) => Box::pin(self.wait(waiting)).await,
            // Kept longer by another function with the same key.
            (Known::Seen(Seen::Value(value)), Mode::Through) => {
                if Box::pin(self.is_fresh(&value)).await {
                    self.count(Event::Hit);
                    return Looked::Found;
                }
                self.reject = Some(value.token());
                self.miss(mode, Lack::Miss).await
            }
            (Known::Seen(Seen::Value(value)), _) => Box::pin(self.replace(value.token())).await,
            (Known::Seen(Seen::None(lack)), _) => self.miss(mode, lack).await,
        }
    }

    /// Nothing usable was found: join a flight, or lead one.
    async fn miss(&mut self, mode: Mode, lack: Lack) -> Looked {
        if lack == Lack::Elsewhere {
            return self.look_aside(mode).await;
        }
        if !self.unasked {
            self.count(Event::Miss);
        }
        match (mode, lack) {
            (Mode::Refresh, Lack::Obstacle) => Looked::alone(),
            (Mode::Refresh, Lack::Miss | Lack::Elsewhere) => Box::pin(self.acquire(None)).await,
            _ => match self.enter() {
                Role::Wait(waiting) => Box::pin(self.wait(waiting)).await,
                Role::Lead(leader) if lack == Lack::Obstacle => Looked::around(leader),
                Role::Lead(leader) => Box::pin(self.acquire(Some(leader))).await,
            },
        }
    }

    /// What the store replies, where that takes no waiting.
    pub(super) fn at_once(&self) -> Option<Reply> {
        let record = self.entry.cache.store()?.get_at_once(self.name())?;
        Some(Reply::of_entry(record))
    }

    /// Joins the flight of the entry if there is one.
    pub(super) fn join(&self) -> Option<oneshot::Receiver<Verdict>> {
        self.entry.cache.flights().join(self.name(), || self.asked())
    }

    /// Joins the flight of the entry, or leads a new one.
    pub(super) fn enter(&self) -> Role {
        self.entry.cache.flights().enter(self.name(), self.asked())
    }

    pub(super) fn is_outdated(&self) -> bool {
        self.entry.is_outdated()
    }

    /// Whether a value that is kept longer than it is fresh is still fresh.
    pub(super) async fn is_fresh(&self, value: &Value) -> bool {
        interpret::is_fresh(&self.entry.cache, self.name(), value, self.budget)
            .await
            .unwrap_or(false)
    }

    /// Whether the lease is asked for at once.
    fn spares_get(&self) -> bool {
        self.batch.is_none() && self.entry.cache.recorder().is_dry(self.entry.callsite)
    }

    /// Counts the call as a hit or a miss, according to the first answer, unless it has been counted.
    pub(super) fn answered(&mut self, event: Event) {
        if std::mem::take(&mut self.unasked) {
            self.count(event);
        }
    }

    pub(super) fn count(&self, event: Event) {
        self.entry.count(event);
    }
}
