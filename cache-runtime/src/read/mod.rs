//! The read path: looks up, or else loads and fills.
//!
//! A call has three stages. First, a [lookup] finds a value or decides how to run the body. Second,
//! the body runs, which is a [load]. Third, a [finish](load::finish) stores the result and serves
//! the waiters. A hit never leaves the first stage, and takes one command. The [`driver`] leads a
//! call through them.
//!
//! All of that is about bytes, and is compiled in this crate. For each annotated function little is
//! compiled besides its body: see [`steps`].
//!
//! # States
//!
//! A search is in one of these states, each of which is one enum. What it does next is a
//! [`Step`](lookup::Step).
//!
//! | State | Type | Values |
//! |---|---|---|
//! | what may be done with a value | [`Freshness`] | fresh, refresh early, stale while |
//! | | | revalidate, stale if error, expired, unknown |
//! | why a look gave no value | [`Missing`] | nothing, blocked, elsewhere, unanswered |
//! | what a search has come to | [`LookupOutcome`] | found, kept, load, refresh, await |
//! | how the body runs | [`LoadMode`] | alone, shared, leased, replace, refresh |
//! | what is left after the body | [`Finish`] | store, remove, keep |
//! | how the call ends | [`OutcomeKind`] | hit, stale, coalesced, loaded, bypassed, uncached, |
//! | | | shed, cancelled; counted once, by the [`Tally`] |
//!
//! # The frames of a hit
//!
//! From the `await` of the caller to the `redis` crate, each frame calls the next one. A function
//! of one line that only hands on is not counted.
//!
//! | # | Frame | What it adds |
//! |--:|---|---|
//! | 1 | [`Calling`]`::poll` | the body and the types of the function |
//! | 2 | [`Driver`]`::poll` | the stages, and the cache that the call uses |
//! | 3 | [`Lookup`]`::ask_for_value` | the entry, and how long the store may take |
//! | 4 | the store's `send` | Redis or memory; the requests of a batch are sent together |
//! | 5 | the router's `run` | the node of the key, and whether it may be used |
//! | 6 | the `send` of `Get` | the command, and the check that the reply belongs to it |
//! | 7 | the session's `read` | the limit of commands in flight, and the breaker |
//!
//! A hit in memory has the first two, and [`Lookup`]`::look_at_once` for the rest: it waits for
//! nothing.
//!
//! [`Driver`]: driver::Driver
//! [`Finish`]: load::finish::Finish
//! [`Freshness`]: freshness::Freshness
//! [`LoadMode`]: load::mode::LoadMode
//! [`Lookup`]: lookup::Lookup
//! [`LookupOutcome`]: lookup::LookupOutcome
//! [`Missing`]: interpret::Missing
//! [`OutcomeKind`]: crate::metrics::OutcomeKind
//! [`Tally`]: tally::Tally

mod alias;
mod batch;
mod beside;
mod call;
mod calling;
mod driver;
pub(crate) mod freshness;
mod interpret;
mod lease;
mod load;
mod lookup;
mod restore;
mod steps;
mod tally;

use std::fmt;

use crate::engine::{Core, Mode};
use crate::key::Key;
use crate::policy::Callsite;
use crate::typing::Returns;

pub use self::batch::{CallingMany, ReadMany, read_many};
pub(crate) use self::call::{ReadCall, is_being_written};
pub use self::calling::{Calling, Detached};
use self::driver::Driver;
use self::freshness::AgePolicy;
pub(crate) use self::interpret::{Missing, Reply};
use self::steps::Values;
pub use crate::support::body::Attached;

/// A call of a cached function, as its attribute spells it out.
#[must_use = "a call does nothing until it goes through"]
pub struct Read<T, U = fn(&T) -> bool> {
    key: Key<T>,
    cache: Option<Core>,
    mode: Mode,
    unless: Option<U>,
}

/// Begins a call; takes the mode that was set for it.
pub fn read<T>(key: Key<T>) -> Read<T> {
    Read { key, cache: None, mode: Mode::take(), unless: None }
}

impl<T, U> Read<T, U> {
    /// Uses this function's name and policy on an entry whose key comes from elsewhere.
    pub fn at(self, callsite: &'static Callsite) -> Self {
        Self { key: self.key.at(callsite), ..self }
    }

    /// Uses this cache and not the ambient one.
    pub(crate) fn on(self, cache: Core) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// Uses the cache only if this is true.
    pub fn when(self, condition: bool) -> Self {
        let mode = if condition { self.mode } else { Mode::Bypass };
        Self { mode, ..self }
    }

    /// Does not store values for which this is true.
    pub fn unless<P: Fn(&T) -> bool>(self, unless: P) -> Read<T, P> {
        Read { key: self.key, cache: self.cache, mode: self.mode, unless: Some(unless) }
    }

    /// Finds the value, or runs the body and stores what it returns.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the body. A lease or the lead of a flight that the call held is
    /// given up at once.
    pub fn through<R, F, B>(
        self,
        returns: Returns<R, T>,
        load: F,
    ) -> Calling<R, T, U, Attached<F, B>>
    where
        U: Fn(&T) -> bool,
        F: FnOnce() -> B,
        B: Future<Output = R>,
    {
        self.call(returns, AgePolicy::Ignored, |_| Attached::new(load))
    }

    /// [`through`](Self::through), for a function that looks at the age of values.
    ///
    /// # Cancel safety
    ///
    /// That of `through`.
    pub fn by_age<R, F, B>(
        self,
        returns: Returns<R, T>,
        load: F,
    ) -> Calling<R, T, U, Attached<F, B>>
    where
        U: Fn(&T) -> bool,
        F: FnOnce() -> B,
        B: Future<Output = R>,
    {
        self.call(returns, AgePolicy::Considered, |_| Attached::new(load))
    }

    /// [`through`](Self::through), for a function whose body can outlive the call. `own` makes a
    /// future of the body that owns all its arguments, and is called only if one is needed.
    ///
    /// # Cancel safety
    ///
    /// A body in the foreground is dropped with the call; one in the background goes on.
    pub fn detached<R, A, O, D, F, B>(
        self,
        returns: Returns<R, T>,
        arguments: A,
        own: O,
        load: F,
    ) -> Calling<R, T, U, Detached<A, O, F, B, U>>
    where
        R: Send + 'static,
        T: 'static,
        U: Fn(&T) -> bool + Clone + Send + 'static,
        O: FnOnce(&A) -> D,
        D: Future<Output = R> + Send + 'static,
        F: FnOnce(A) -> B,
        B: Future<Output = R>,
    {
        let body = |unless: Option<&U>| Detached::new(arguments, own, load, unless.cloned());
        self.call(returns, AgePolicy::Detachable, body)
    }

    fn call<R, B>(
        self,
        returns: Returns<R, T>,
        age: AgePolicy,
        body: impl FnOnce(Option<&U>) -> B,
    ) -> Calling<R, T, U, B> {
        let Self { key, cache, mode, unless } = self;
        let values = Values::new(returns, key.typed());
        let driver = Driver::new(cache, mode, key.into_untyped(), age);
        let body = body(unless.as_ref());
        Calling::new(driver, values, unless, body)
    }
}

impl<T, U> fmt::Debug for Read<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
