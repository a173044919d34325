//! Hits of the embedded store.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::Cache;
use moka::future::Cache as Moka;

use super::measure::{Contender, in_turn};
use super::scenarios::{BY_HAND, Bench, CACHED, ENTRIES};
use super::subject::User;
use super::{hand, ours};

impl Bench {
    pub(crate) fn memory(&self) {
        let (cache, map) = (Cache::in_memory(), Arc::new(hand::Memory::default()));
        for callers in [1, 64] {
            self.compare(
                &format!("hits in memory, 300 B, callers: {callers}"),
                vec![
                    Contender::new(BY_HAND, || {
                        let map = Arc::clone(&map);
                        self.cached(callers, move |id| {
                            let map = Arc::clone(&map);
                            async move { map.user(id % ENTRIES) }
                        })
                    }),
                    Contender::new(CACHED, || {
                        let cache = cache.clone();
                        self.cached(callers, move |id| cache.scope(ours::user(id % ENTRIES)))
                    }),
                ],
            );
        }
        self.compare("hits in memory, 300 B, one after the other", self.hits_in_memory());
    }

    /// Beside `moka`, which hands out a clone of the value: one after the other, on one thread.
    pub(crate) fn hits_in_memory(&self) -> Vec<Contender<'_>> {
        let moka: Moka<u64, User> = Moka::builder()
            .max_capacity(2 * ENTRIES)
            .time_to_live(Duration::from_secs(hand::TTL))
            .build();
        let cache = Cache::in_memory();
        self.runtime.block_on(async {
            for id in 0..ENTRIES {
                moka.insert(id, User::new(id)).await;
                cache.scope(ours::user(id)).await;
            }
        });
        vec![
            Contender::new("moka", move || {
                self.runtime.block_on(in_turn(self.effort.turn, |id| {
                    moka.get_with(id % ENTRIES, async move { User::new(id % ENTRIES) })
                }))
            }),
            Contender::new(CACHED, move || {
                let hits = in_turn(self.effort.turn, |id| ours::user(id % ENTRIES));
                self.runtime.block_on(cache.scope(hits))
            }),
        ]
    }
}
