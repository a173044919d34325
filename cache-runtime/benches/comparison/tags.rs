//! What tags cost a hit: one more key each, in the same round trip.

use cache_runtime::cached;

use super::measure::{Contender, compare};
use super::scenarios::{Bench, ENTRIES};
use super::subject::User;

#[cached(key = "untagged:<id>", ttl = 3600)]
async fn untagged(id: u64) -> User {
    User::new(id)
}

#[cached(key = "tagged-once:<id>", ttl = 3600, tags = ["org:<id>"])]
async fn tagged_once(id: u64) -> User {
    User::new(id)
}

#[cached(key = "tagged-thrice:<id>", ttl = 3600, tags = ["org:<id>", "country:<id>", "users"])]
async fn tagged_thrice(id: u64) -> User {
    User::new(id)
}

impl Bench {
    pub(crate) fn tags(&self) {
        self.runtime.block_on(async {
            for id in 0..ENTRIES {
                untagged(id).await;
                tagged_once(id).await;
                tagged_thrice(id).await;
            }
        });
        for callers in [1, 64] {
            compare(
                &format!("hits by number of tags, 300 B, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("none", || {
                        self.cached(callers, |argument| untagged(argument % ENTRIES))
                    }),
                    Contender::new("1 tag", || {
                        self.cached(callers, |argument| tagged_once(argument % ENTRIES))
                    }),
                    Contender::new("3 tags", || {
                        self.cached(callers, |argument| tagged_thrice(argument % ENTRIES))
                    }),
                ],
            );
        }
    }
}
