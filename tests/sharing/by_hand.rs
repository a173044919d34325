//! What the catalogue cannot know where a key is made by hand.

use cache_runtime::catalog::Problem;
use cache_runtime::{catalog, invalidates};

#[invalidates(key = "hand:<id>")]
async fn by_key(id: i64) {
    _ = id;
}

#[invalidates(tag = "hands")]
async fn by_tag() {}

/// `made_by_hand` is the key of a function, and may have any text and any tags.
#[test]
fn a_key_made_by_hand_may_be_any() {
    let problems = catalog().problems();
    let without_effect = problems
        .iter()
        .filter(|problem| matches!(problem, Problem::NoSuchKey { .. } | Problem::NoSuchTag { .. }));
    assert_eq!(without_effect.count(), 0, "{problems:#?}");
}
