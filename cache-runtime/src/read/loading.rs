//! The second stage of a call: runs the body.

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use super::attempt::{Attempt, Ended, Loaded};
use crate::cache::Cache;
use crate::callsite::Callsite;
use crate::key::Key;
use crate::limit;
use crate::outcome::Returns;
use crate::stats::Event;
use crate::tags::Tags;

/// What a load needs to know of its call.
pub(super) struct Loading<'a, R, T, U> {
    cache: &'a Cache,
    key: &'a Key<T>,
    text: &'a str,
    tags: &'a Tags,
    returns: &'a Returns<R, T>,
    unless: Option<U>,
}

impl<'a, R, T, U: Fn(&T) -> bool> Loading<'a, R, T, U> {
    pub(super) fn new(
        cache: &'a Cache,
        key: &'a Key<T>,
        text: &'a str,
        tags: &'a Tags,
        returns: &'a Returns<R, T>,
        unless: Option<U>,
    ) -> Self {
        Self { cache, key, text, tags, returns, unless }
    }

    /// Runs the body, in exactly one place, so that the call's future holds the body's only once.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    pub(super) fn load<B: Future<Output = R>>(
        self,
        attempt: Attempt,
        load: impl FnOnce() -> B,
    ) -> impl Future<Output = R> {
        async move {
            let (cache, callsite) = (self.cache, self.key.callsite());
            let running = Running::new(cache, callsite);
            let result = {
                let start = || {
                    running.start();
                    load()
                };
                let mut body = pin!(limit::bounded(cache, callsite, self.returns.refuse, start));
                attempt.watch(body.as_mut()).await
                // What the body held, such as a connection, is given back before the value is stored.
            };
            let took = running.end((self.returns.value)(&result).is_some());
            let ended = attempt.end(&Loaded {
                cache,
                text: self.text,
                tags: self.tags,
                result: &result,
                returns: self.returns,
                key: self.key,
                unless: self.unless.as_ref(),
                took,
            });
            let (result, ending) = match ended {
                Ended::Done => return result,
                Ended::Left(ending) => (result, ending),
                Ended::Refused(refused, None) => return refused,
                Ended::Refused(refused, Some(ending)) => (refused, ending),
            };
            // Boxed, like everything that only a miss reaches: a hit's future stays small.
            let Some(stale) = Box::pin(ending.finish(callsite)).await else { return result };
            match self.returns.decode(stale.payload(), self.key.schema(cache.settings().codec)) {
                Ok(stale) => {
                    cache.recorder().count(callsite, Event::Stale);
                    stale
                }
                // It did decode before.
                Err(_) => result,
            }
        }
    }
}

/// A body that runs, or waits for a place. It counts as cancelled if dropped before its end, and is not counted if it
/// is refused a place.
pub(super) struct Running<'a> {
    cache: &'a Cache,
    callsite: &'static Callsite,
    since: OnceLock<Instant>,
    ended: bool,
}

impl<'a> Running<'a> {
    pub(super) fn new(cache: &'a Cache, callsite: &'static Callsite) -> Self {
        Self { cache, callsite, since: OnceLock::new(), ended: false }
    }

    pub(super) fn start(&self) {
        self.since.get_or_init(Instant::now);
    }

    pub(super) fn end(mut self, succeeded: bool) -> Duration {
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
