//! The read path: look up, else load and fill.
//!
//! A call goes through three stages. [`lookup`](lookup::Lookup) finds a value or decides how the body is run; the body
//! runs, at exactly one place, so that its future is held once; [`Attempt`](attempt::Attempt) stores what it returned and
//! serves those who wait for it. A hit never leaves the first stage and takes one command.

mod attempt;
mod lease;
mod lookup;

use std::fmt;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use crate::cache::{Cache, ambient};
use crate::call::Mode;
use crate::callsite::Callsite;
use crate::key::Key;
use crate::limit;
use crate::outcome::Returns;
use crate::stats::Event;
use crate::tags::Tags;
use crate::write::scope;

pub(crate) use self::attempt::guarded;
use self::attempt::{Attempt, Loaded};
use self::lookup::{Looked, Lookup};

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
    /// Uses this function's name and policy on an entry that has its key from elsewhere.
    pub fn at(self, callsite: &'static Callsite) -> Self {
        Self { key: self.key.at(callsite), ..self }
    }

    /// Uses this cache and not the ambient one.
    pub fn cache(self, cache: impl AsRef<Cache>) -> Self {
        Self { cache: Some(cache.as_ref().clone()), ..self }
    }

    /// Consults the cache only when this holds.
    pub fn when(self, condition: bool) -> Self {
        let mode = if condition { self.mode } else { Mode::Bypass };
        Self { mode, ..self }
    }

    /// Does not store values of which this holds.
    pub fn unless<P: Fn(&T) -> bool>(self, unless: P) -> Read<T, P> {
        Read { key: self.key, cache: self.cache, mode: self.mode, unless: Some(unless) }
    }

    /// Finds the value, or runs the body and stores what it returns.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the body. What it held, a lease or the lead of those who wait, is given up at once.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    pub fn through<R, F, B>(self, returns: Returns<R, T>, load: F) -> impl Future<Output = R>
    where
        U: Fn(&T) -> bool,
        F: FnOnce() -> B,
        B: Future<Output = R>,
    {
        async move {
            let cache = self.cache.unwrap_or_else(ambient::current);
            let (callsite, text) = (self.key.callsite(), cache.full_text(self.key.as_str()));
            let tags = Tags::of(&cache, &self.key);
            let is_fenced = |text: &str| scope::is_fenced(&cache, text);
            let attempt = if self.mode == Mode::Bypass
                || is_fenced(&text)
                || tags.texts().any(is_fenced)
            {
                cache.recorder().count(callsite, Event::Bypass);
                Attempt::Alone
            } else {
                match Lookup::new(&cache, &self.key, &text, &tags, &returns).run(self.mode).await {
                    Looked::Found(result) => return result,
                    Looked::Load(attempt) => attempt,
                }
            };
            let running = Running::new(&cache, callsite);
            let result = {
                let start = || {
                    running.start();
                    load()
                };
                let mut body = pin!(limit::bounded(&cache, callsite, returns.refuse, start));
                attempt.watch(body.as_mut()).await
                // What the body held, such as a connection, is given back before the value is stored.
            };
            let took = running.end((returns.value)(&result).is_some());
            let storing = attempt.end(&Loaded {
                cache: &cache,
                text: &text,
                tags: &tags,
                result: &result,
                returns: &returns,
                key: &self.key,
                unless: self.unless.as_ref(),
                took,
            });
            if let Some(storing) = storing {
                // Boxed, as all that only a miss comes to: a hit's future stays small.
                Box::pin(storing.finish(callsite)).await;
            }
            result
        }
    }
}

/// A body that runs, or waits for a place. Dropped before its end, it counts as cancelled; turned away, not at all.
struct Running<'a> {
    cache: &'a Cache,
    callsite: &'static Callsite,
    since: OnceLock<Instant>,
    ended: bool,
}

impl<'a> Running<'a> {
    fn new(cache: &'a Cache, callsite: &'static Callsite) -> Self {
        Self { cache, callsite, since: OnceLock::new(), ended: false }
    }

    fn start(&self) {
        self.since.get_or_init(Instant::now);
    }

    fn end(mut self, succeeded: bool) -> Duration {
        self.ended = true;
        let Some(took) = self.since.get().map(Instant::elapsed) else { return Duration::ZERO };
        let event = if succeeded { Event::LoadOk } else { Event::LoadFailed };
        self.cache.recorder().loaded(self.callsite, event, took);
        took
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.ended && self.since.get().is_some() {
            self.cache.recorder().count(self.callsite, Event::LoadCancelled);
        }
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
