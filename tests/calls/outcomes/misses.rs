//! Why lookups find nothing. What spoils records is tried in `tests/values`.

use cache_fixtures::stores::on_both_stores;
use cache_runtime::stats::MissReason::{Absent, Expired, Tag};
use cache_runtime::{cached, invalidates};
use cache_testing::barrier::eventually;

use crate::outcomes::misses;
use crate::stampede::fixture::Fixture;

on_both_stores! {
    a_key_that_holds_nothing_is_absent
    a_tag_that_was_invalidated_is_the_reason
    a_value_that_is_kept_for_failures_has_expired
}

async fn a_key_that_holds_nothing_is_absent(fixture: Fixture) {
    #[cached(key = "absent", ttl = 3600)]
    async fn absent() -> u64 {
        7
    }
    fixture.cache.scope(absent()).await;
    fixture.cache.scope(absent()).await;
    assert_eq!(misses(&fixture.cache, "absent"), [(Absent, 1)]);
}

async fn a_tag_that_was_invalidated_is_the_reason(fixture: Fixture) {
    #[cached(key = "tagged", ttl = 3600, tags = ["group"])]
    async fn tagged() -> u64 {
        7
    }
    #[invalidates(tag = "group")]
    async fn regroup() {}

    fixture.cache.scope(tagged()).await;
    fixture.cache.scope(regroup()).await;
    fixture.cache.scope(tagged()).await;
    assert_eq!(misses(&fixture.cache, "tagged"), [(Absent, 1), (Tag, 1)]);
}

async fn a_value_that_is_kept_for_failures_has_expired(fixture: Fixture) {
    #[cached(key = "kept", ttl = "1ms", stale_if_error = "1h")]
    async fn kept() -> Result<u64, String> {
        Ok(7)
    }
    fixture.cache.scope(kept()).await.unwrap();
    eventually!({
        fixture.cache.scope(kept()).await.unwrap();
        misses(&fixture.cache, "kept").contains(&(Expired, 1))
    });
    assert_eq!(misses(&fixture.cache, "kept"), [(Absent, 1), (Expired, 1)]);
}
