//! What tags cost: a hit one more key each, in the same round trip, whether the key tells them or
//! the value; a miss one more script each, and more round trips if nobody could guess them; and an
//! invalidation one round trip more than that of a key.

use cache_runtime::{CallExt as _, cached, invalidates, tag};

use super::measure::Contender;
use super::scenarios::{Bench, ENTRIES, fresh};
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

#[cached(
    key = "told-thrice:<id>",
    ttl = 3600,
    tags = |user: &User| [tag!("org:<user.id>"), tag!("country:<user.id>"), tag!("users")],
)]
async fn told_thrice(id: u64) -> User {
    User::new(id)
}

#[invalidates(untagged(id))]
async fn write_key(id: u64) {
    _ = id;
}

#[invalidates(tag = "org:<id>")]
async fn write_tag(id: u64) {
    _ = id;
}

impl Bench {
    pub(crate) fn tags(&self) {
        self.runtime.block_on(async {
            for id in 0..ENTRIES {
                untagged(id).await;
                tagged_once(id).await;
                tagged_thrice(id).await;
                told_thrice(id).await;
            }
        });
        for callers in [1, 64] {
            self.hits_with_tags(callers);
            self.misses_with_tags(callers);
            self.writes_of_tags(callers);
        }
    }

    fn hits_with_tags(&self, callers: u64) {
        self.compare(
            &format!("hits by number of tags, 300 B, callers: {callers}"),
            vec![
                Contender::new("none", || self.cached(callers, |it| untagged(it % ENTRIES))),
                Contender::new("1 tag", || self.cached(callers, |it| tagged_once(it % ENTRIES))),
                Contender::new("3 tags", || self.cached(callers, |it| tagged_thrice(it % ENTRIES))),
                Contender::new("3 told", || self.cached(callers, |it| told_thrice(it % ENTRIES))),
            ],
        );
    }

    /// What is loaded again has tags that can be guessed, and an argument that comes for the first
    /// time has not.
    fn misses_with_tags(&self, callers: u64) {
        self.compare(
            &format!("misses by number of tags, 300 B, callers: {callers}"),
            vec![
                Contender::new("none", || self.cached(callers, |_| untagged(fresh(1)))),
                Contender::new("3 tags", || self.cached(callers, |_| tagged_thrice(fresh(1)))),
                Contender::new("3 told, unknown", || {
                    self.cached(callers, |_| told_thrice(fresh(1)))
                }),
            ],
        );
        self.compare(
            &format!("refreshes by number of tags, 300 B, callers: {callers}"),
            vec![
                Contender::new("none", || {
                    self.cached(callers, |it| untagged(it % ENTRIES).refresh())
                }),
                Contender::new("3 tags", || {
                    self.cached(callers, |it| tagged_thrice(it % ENTRIES).refresh())
                }),
                Contender::new("3 told, guessed", || {
                    self.cached(callers, |it| told_thrice(it % ENTRIES).refresh())
                }),
            ],
        );
    }

    fn writes_of_tags(&self, callers: u64) {
        self.compare(
            &format!("#[invalidates] of a key and of a tag, callers: {callers}"),
            vec![
                Contender::new("key", || self.cached(callers, |it| write_key(it % ENTRIES))),
                Contender::new("tag", || self.cached(callers, |it| write_tag(it % ENTRIES))),
            ],
        );
    }
}
