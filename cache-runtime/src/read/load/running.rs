//! A body that runs, as the statistics count it.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Core;
use crate::metrics::LoadResult;
use crate::policy::Callsite;

/// A body that runs, or waits for a place. It counts as cancelled if it is dropped before its end,
/// and is not counted if it is refused a place.
pub(in crate::read) struct Running {
    cache: Core,
    callsite: &'static Callsite,
    since: OnceLock<Instant>,
    ended: bool,
}

impl Running {
    pub(in crate::read) fn new(cache: Core, callsite: &'static Callsite) -> Self {
        Self { cache, callsite, since: OnceLock::new(), ended: false }
    }

    pub(in crate::read) fn start(&self) {
        self.since.get_or_init(|| {
            self.cache.recorder().load_begins(self.callsite);
            Instant::now()
        });
    }

    pub(in crate::read) fn end(mut self, succeeded: bool) -> Duration {
        self.ended = true;
        let Some(took) = self.since.get().map(Instant::elapsed) else { return Duration::ZERO };
        let result = if succeeded { LoadResult::Ok } else { LoadResult::Failed };
        self.cache.recorder().loaded(self.callsite, result, took);
        took
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(since) = self.since.get().filter(|_| !self.ended) {
            let recorder = self.cache.recorder();
            recorder.loaded(self.callsite, LoadResult::Cancelled, since.elapsed());
        }
    }
}
