//! Spans of `tracing`: one for each call of a cached function, for each batch and for each
//! invalidation, and in them one for each load and one for each round trip to the server.
//!
//! None is made unless a subscriber asks for the level DEBUG of the target `cache_runtime::call`.
//! Otherwise a call looks at a static that says so, and has a pointer to nothing.

use std::future::poll_fn;
use std::pin::Pin;

#[cfg(feature = "tracing")]
use tracing::{Level, Span, debug_span, enabled, field};

#[cfg(not(feature = "tracing"))]
use self::without::Span;

/// The target of all spans.
#[cfg(feature = "tracing")]
const TARGET: &str = "cache_runtime::call";

/// A span, if somebody asks for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    // In a box, because every call has room for it.
    span: Option<Box<Span>>,
}

impl Trace {
    /// That of a call of a function.
    pub(crate) fn call(function: &'static str) -> Self {
        #[cfg(feature = "tracing")]
        let span = Some(debug_span!(
            target: TARGET,
            "cache.call",
            function,
            outcome = field::Empty,
            uncached = field::Empty,
            age_ms = field::Empty,
            key = field::Empty,
        ));
        #[cfg(not(feature = "tracing"))]
        let (span, _) = (None, function);
        Self::new(span)
    }

    /// That of a call of a function for so many ids. Each of the fields after the first two counts
    /// those that ended so.
    pub(crate) fn batch(function: &'static str, ids: usize) -> Self {
        #[cfg(feature = "tracing")]
        let span = Some(debug_span!(
            target: TARGET,
            "cache.batch",
            function,
            ids,
            hit = field::Empty,
            stale = field::Empty,
            coalesced = field::Empty,
            loaded = field::Empty,
            bypassed = field::Empty,
            uncached = field::Empty,
            shed = field::Empty,
            cancelled = field::Empty,
        ));
        #[cfg(not(feature = "tracing"))]
        let (span, _) = (None, (function, ids));
        Self::new(span)
    }

    /// That of an invalidation, of so many keys or of those that match a pattern.
    pub(crate) fn invalidation(by: &'static str, keys: Option<usize>) -> Self {
        #[cfg(feature = "tracing")]
        let span = Some(debug_span!(
            target: TARGET,
            "cache.invalidation",
            by,
            keys,
            outcome = field::Empty,
        ));
        #[cfg(not(feature = "tracing"))]
        let (span, _) = (None, (by, keys));
        Self::new(span)
    }

    /// That of the body of a call.
    pub(crate) fn load() -> Self {
        #[cfg(feature = "tracing")]
        let span = Some(debug_span!(target: TARGET, "cache.load", error.r#type = field::Empty));
        #[cfg(not(feature = "tracing"))]
        let span = None;
        Self::new(span)
    }

    /// That of one request to a server, and of its reply.
    pub(crate) fn round_trip(operation: &'static str, keys: usize) -> Self {
        #[cfg(feature = "tracing")]
        let span = Some(debug_span!(
            target: TARGET,
            "cache.round_trip",
            otel.kind = "client",
            db.system.name = "redis",
            db.operation.name = operation,
            db.operation.batch.size = keys,
            error.r#type = field::Empty,
        ));
        #[cfg(not(feature = "tracing"))]
        let (span, _) = (None, (operation, keys));
        Self::new(span)
    }

    fn new(span: Option<Span>) -> Self {
        Self { span: span.filter(|span| !span.is_disabled()).map(Box::new) }
    }

    /// Runs code inside the span, so that spans which it makes are children of this one.
    pub(crate) fn within<R>(&self, code: impl FnOnce() -> R) -> R {
        match &self.span {
            Some(span) => span.in_scope(code),
            None => code(),
        }
    }

    /// Polls a future inside the span.
    pub(crate) fn around<F: Future>(
        &self,
        mut future: Pin<&mut F>,
    ) -> impl Future<Output = F::Output> {
        poll_fn(move |cx| self.within(|| future.as_mut().poll(cx)))
    }

    /// Notes how many have ended so, if any has.
    pub(crate) fn ended_so(&self, outcome: &'static str, how_many: u64) {
        if let Some(span) = self.span.as_ref().filter(|_| how_many > 0) {
            span.record(outcome, how_many);
        }
    }

    /// Notes the key, for those who ask for the level TRACE.
    pub(crate) fn key(&self, key: impl FnOnce() -> String) {
        if let Some(span) = self.span.as_ref().filter(|_| keys_are_asked_for()) {
            span.record("key", key());
        }
    }

    /// Notes how the call ended, and why it was uncached.
    pub(crate) fn outcome(&self, outcome: &'static str, uncached: Option<&'static str>) {
        let Some(span) = &self.span else { return };
        span.record("outcome", outcome);
        if let Some(why) = uncached {
            span.record("uncached", why);
        }
    }

    /// Notes what kind of failure it was, if it was one.
    pub(crate) fn failed(&self, kind: Option<&'static str>) {
        if let (Some(span), Some(kind)) = (&self.span, kind) {
            span.record("error.type", kind);
        }
    }
}

fn keys_are_asked_for() -> bool {
    #[cfg(feature = "tracing")]
    return enabled!(target: TARGET, Level::TRACE);
    #[cfg(not(feature = "tracing"))]
    return false;
}

/// Notes the age of the value that the present call has found.
pub(crate) fn age(ms: u64) {
    #[cfg(feature = "tracing")]
    if enabled!(target: TARGET, Level::DEBUG) {
        Span::current().record("age_ms", ms);
    }
    #[cfg(not(feature = "tracing"))]
    let _ = ms;
}

/// In place of what `tracing` has: a span that is never made.
#[cfg(not(feature = "tracing"))]
mod without {
    #[derive(Clone, Debug)]
    pub(super) enum Span {}

    impl Span {
        pub(super) fn is_disabled(&self) -> bool {
            match *self {}
        }

        pub(super) fn in_scope<R>(&self, _: impl FnOnce() -> R) -> R {
            match *self {}
        }

        pub(super) fn record<V>(&self, _: &str, _: V) {
            match *self {}
        }
    }
}
