//! What a call costs while Redis is down: the body, and as little else as can be.

use cache_runtime::Cache;

use super::measure::{Contender, compare, drive};
use super::ours;
use super::scenarios::{Bench, ENTRIES};
use super::subject::User;

impl Bench {
    pub(crate) fn outage(&self) {
        // Nobody listens there, so the breaker is open after the first call.
        let cache = Cache::connect("redis://127.0.0.1:1").expect("a Redis URL");
        self.runtime.block_on(cache.scope(ours::user(0)));
        for callers in [1, 64] {
            compare(
                &format!("Redis is down, 300 B, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("the body alone", || {
                        self.cached(
                            callers,
                            |argument| async move { User::new(argument % ENTRIES) },
                        )
                    }),
                    Contender::new("#[cached]", || {
                        let cache = cache.clone();
                        drive(&self.runtime, callers, self.effort.turn, move |argument| {
                            cache.scope(ours::user(argument % ENTRIES))
                        })
                    }),
                ],
            );
        }
    }
}
