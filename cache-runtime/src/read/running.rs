//! A body that runs, as the statistics see it.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use crate::cache::Cache;
use crate::callsite::Callsite;
use crate::stats::Event;

/// A body that runs, or waits for a place. It counts as cancelled if dropped before its end, and is not counted if it
/// is refused a place.
pub(super) struct Running {
    cache: Cache,
    callsite: &'static Callsite,
    since: OnceLock<Instant>,
    ended: bool,
}

impl Running {
    pub(super) fn new(cache: Cache, callsite: &'static Callsite) -> Self {
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

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended && self.since.get().is_some() {
            self.cache.recorder().count(self.callsite, Event::LoadCancelled);
        }
    }
}
