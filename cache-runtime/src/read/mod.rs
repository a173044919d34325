//! The read path: look up, else load and fill.
//!
//! A call has three stages. First, [`lookup`](lookup::Lookup) finds a value or decides how to run the body. Second,
//! the body runs, in exactly one place in the code, so that every call's future holds the body's only once. Third,
//! [`Attempt`](attempt::Attempt) stores the result and serves the waiters. A hit never leaves the first stage and
//! takes one command.

mod acquire;
mod age;
mod attempt;
mod beside;
mod ending;
mod interpret;
mod lease;
mod loading;
mod look;
mod lookup;
mod many;
mod refresh;
mod replace;
mod stale;
mod waiting;

use std::fmt;

use crate::cache::{Cache, ambient, elsewhere};
use crate::call::Mode;
use crate::callsite::Callsite;
use crate::key::Key;
use crate::misuse::{self, Misuse};
use crate::outcome::Returns;
use crate::stats::Event;
use crate::tags::Tags;
use crate::write::scope;

#[cfg(test)]
pub(crate) use self::age::is_drawn;
use self::attempt::Attempt;
pub(crate) use self::attempt::guarded;
pub(crate) use self::interpret::{Found, Reader};
use self::loading::Loading;
use self::lookup::{Looked, Lookup};
pub use self::many::{
    Again, Answers, Batched, EachLacksBoth, EachLacksDeserialize, EachLacksNothing,
    EachLacksSerialize, HeldBy, Id, Ids, Negative, ReadMany, again, read_many,
};

/// A call of a cached function, as its attribute spells it out.
#[must_use = "a call does nothing until it goes through"]
pub struct Read<T, U = fn(&T) -> bool> {
    key: Key<T>,
    cache: Option<Cache>,
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
    pub fn cache(self, cache: impl AsRef<Cache>) -> Self {
        Self { cache: Some(cache.as_ref().clone()), ..self }
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
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    pub fn through<R, F, B>(self, returns: Returns<R, T>, load: F) -> impl Future<Output = R>
    where
        U: Fn(&T) -> bool,
        F: FnOnce() -> B,
        B: Future<Output = R>,
    {
        async move {
            let (cache, mode) = resolved(self.cache, &self.key, self.mode);
            let text = cache.full_text(self.key.as_str());
            let tags = Tags::of(&cache, &self.key);
            let attempt = if bypasses(mode, &cache, &self.key, &text, &tags) {
                Attempt::Alone
            } else {
                match Lookup::new(&cache, &self.key, &text, &tags, &returns).run(mode).await {
                    Looked::Found(result) => return result,
                    Looked::Load(attempt) => attempt,
                }
            };
            let call = Loading::new(&cache, &self.key, &text, &tags, &returns, self.unless);
            call.load(attempt, load).await
        }
    }
}

/// The cache of a call, and how the call uses it: not at all if the entry is in another one, or if another function has
/// the same automatic key.
fn resolved<T>(named: Option<Cache>, key: &Key<T>, mode: Mode) -> (Cache, Mode) {
    let (function, owner) = (key.callsite(), key.owner());
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
fn bypasses<T>(mode: Mode, cache: &Cache, key: &Key<T>, text: &str, tags: &Tags) -> bool {
    let is_without_entry = || {
        let Some(unhashable) = key.unhashable() else { return false };
        let so = format_args!("{unhashable}; such calls bypass the cache");
        misuse::report(cache, key.callsite(), Misuse::Unhashable, so);
        true
    };
    let bypasses =
        mode == Mode::Bypass || is_without_entry() || is_being_written(cache, text, tags);
    if bypasses {
        cache.recorder().count(key.callsite(), Event::Bypass);
    }
    bypasses
}

/// Whether the task is writing the entry, or one of its tags.
pub(crate) fn is_being_written(cache: &Cache, text: &str, tags: &Tags) -> bool {
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
