//! What a call costs while Redis is down: the body, and as little else as can be.

use cache_runtime::Cache;

use super::measure::{Contender, in_turn};
use super::ours;
use super::scenarios::{Bench, CACHED, ENTRIES};
use super::subject::User;

impl Bench {
    pub(crate) fn outage(&self) {
        let cache = self.with_open_breaker();
        for callers in [1, 64] {
            self.compare(
                &format!("Redis is down, 300 B, callers: {callers}"),
                vec![
                    Contender::new("the body alone", || {
                        self.cached(callers, |id| async move { User::new(id % ENTRIES) })
                    }),
                    Contender::new(CACHED, || {
                        let cache = cache.clone();
                        self.cached(callers, move |id| cache.scope(ours::user(id % ENTRIES)))
                    }),
                ],
            );
        }
        self.compare("Redis is down, 300 B, one after the other", self.calls_without_redis());
    }

    /// One after the other, on one thread.
    pub(crate) fn calls_without_redis(&self) -> Vec<Contender<'_>> {
        let cache = self.with_open_breaker();
        vec![
            Contender::new("the body alone", move || {
                let body = |id| async move { User::new(id % ENTRIES) };
                self.runtime.block_on(in_turn(self.effort.turn, body))
            }),
            Contender::new(CACHED, move || {
                let calls = in_turn(self.effort.turn, |id| ours::user(id % ENTRIES));
                self.runtime.block_on(cache.scope(calls))
            }),
        ]
    }

    /// Nobody listens there, so the breaker is open after the first call.
    fn with_open_breaker(&self) -> Cache {
        let cache = Cache::connect("redis://127.0.0.1:1").expect("a Redis URL");
        self.runtime.block_on(cache.scope(ours::user(0)));
        cache
    }
}
