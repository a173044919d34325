//! The read path: look up, else load and fill.
//!
//! A call has three stages. First, [`lookup`](lookup::Lookup) finds a value or decides how to run the body. Second,
//! the [`body`] runs. Third, [`Attempt`](attempt::Attempt) stores the result and serves the waiters. A hit never
//! leaves the first stage and takes one command. The [`driver`] leads a call through them.
//!
//! All of that is about bytes, and is compiled in this crate. For each annotated function little is compiled besides its
//! body: see [`steps`].

mod batch;
mod driver;
mod lease;
mod load;
mod lookup;
mod stale;

use std::fmt;

use crate::engine::misuse::{self, Misuse};
use crate::engine::tags::Tags;
use crate::engine::{Core, Mode, ambient, elsewhere};
use crate::key::{Key, Unhashable};
use crate::metrics::Event;
use crate::policy::Callsite;
use crate::typing::Returns;
use crate::write::scope;

pub use self::batch::{CallingMany, ReadMany, read_many};
use self::driver::{Age, Driver};
use self::load::body::Call;
pub use self::load::body::{Attached, Calling, Detached};
use self::load::steps::Values;
pub(crate) use self::lookup::aside::beside;
pub(crate) use self::lookup::interpret::{Interpreted, Reader, is_fresh};
#[cfg(test)]
pub(crate) use self::stale::freshness::is_drawn;

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
    /// Dropping the future drops the body. A lease or the lead of a flight that the call held is given up at once.
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
        self.call(returns, Age::Ignored, |_| Attached::new(load))
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
        self.call(returns, Age::Counts, |_| Attached::new(load))
    }

    /// [`through`](Self::through), for a function whose body can outlive the call. `own` makes a future of the body
    /// that owns all its arguments, and is called only if one is needed.
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
        self.call(returns, Age::Detaches, body)
    }

    fn call<R, B>(
        self,
        returns: Returns<R, T>,
        age: Age,
        body: impl FnOnce(Option<&U>) -> B,
    ) -> Calling<R, T, U, B> {
        let Self { key, cache, mode, unless } = self;
        let values = Values::new(returns, key.typed());
        let driver = Driver::new(cache, mode, key.into_untyped(), age);
        let body = body(unless.as_ref());
        Calling::new(Call { driver, values }, unless, body)
    }
}

/// The cache of a call, and how the call uses it: not at all if the entry is in another one, or if another function has
/// the same automatic key.
fn resolved(
    named: Option<Core>,
    function: &'static Callsite,
    owner: &'static Callsite,
    mode: Mode,
) -> (Core, Mode) {
    let is_named = named.is_some();
    let cache = named.unwrap_or_else(|| ambient::current(function));
    if !std::ptr::eq(function, owner) && elsewhere::is_elsewhere(&cache, is_named, owner) {
        elsewhere::report(&cache, is_named, function, owner);
        return (cache, Mode::Bypass);
    }
    if function.has_automatic_key() {
        // The first call must not find what the other function has stored.
        cache.recorder().enter(function);
        if function.is_refused() {
            return (cache, Mode::Bypass);
        }
    }
    (cache, mode)
}

/// Whether a call bypasses the cache: because it was told to, because its key names no entry, or because its task is
/// writing the entry.
fn bypasses(
    mode: Mode,
    cache: &Core,
    callsite: &'static Callsite,
    unhashable: Option<Unhashable>,
    text: &str,
    tags: &Tags,
) -> bool {
    let is_without_entry = || {
        let Some(unhashable) = unhashable else { return false };
        let so = format_args!("{unhashable}; such calls bypass the cache");
        misuse::report(cache, callsite, Misuse::Unhashable, so);
        true
    };
    let bypasses =
        mode == Mode::Bypass || is_without_entry() || is_being_written(cache, text, tags);
    if bypasses {
        cache.recorder().count(callsite, Event::Bypass);
    }
    bypasses
}

/// Whether the task is writing the entry, or one of its tags.
pub(crate) fn is_being_written(cache: &Core, text: &str, tags: &Tags) -> bool {
    let is_fenced = |text: &str| scope::is_fenced(cache, text);
    is_fenced(text) || tags.texts().any(is_fenced)
}

impl<T, U> fmt::Debug for Read<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
