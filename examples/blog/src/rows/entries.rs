//! What is cached, one kind of entry each.

use std::collections::HashMap;

use cache_runtime::cached;

use crate::database::DbPool;
use crate::sql::single;
use crate::types::{Row, User};

// Lists: ids alone, so that they change only with what is in the list, and not with the rows.

#[cached(key = "latest:<stretch>", ttl = "1h", tags = ["latest"])]
pub(super) async fn latest(db: &DbPool, stretch: i64) -> sqlx::Result<(Vec<i64>, i64)> {
    single::latest(db, stretch).await
}

#[cached(key = "tagged:<tag>:<stretch>", ttl = "1h", tags = ["tagged:<tag>"])]
pub(super) async fn tagged(db: &DbPool, tag: &str, stretch: i64) -> sqlx::Result<(Vec<i64>, i64)> {
    single::tagged(db, tag, stretch).await
}

#[cached(batch(id in ids), key = "written:<id>", ttl = "1h")]
pub(super) async fn written(db: &DbPool, ids: &[i64]) -> sqlx::Result<HashMap<i64, Vec<i64>>> {
    single::written(db, ids).await
}

#[cached(key = "comments:<article>", ttl = "1h")]
pub(super) async fn comments(db: &DbPool, article: i64) -> sqlx::Result<Vec<(i64, i64, String)>> {
    single::comments(db, article).await
}

// Rows, shared by all lists and all viewers.

#[cached(batch(id in ids), key = "article:<id>", ttl = "1h")]
pub(super) async fn articles(db: &DbPool, ids: &[i64]) -> sqlx::Result<HashMap<i64, Row>> {
    single::articles(db, ids).await
}

#[cached(batch(id in ids), key = "user:<id>", ttl = "1h")]
pub(super) async fn users(db: &DbPool, ids: &[i64]) -> sqlx::Result<HashMap<i64, User>> {
    single::users(db, ids).await
}

// What depends on the viewer: sets of ids, beside the rows. One entry for each viewer and row would
// be found only by a viewer who has seen that row before.

#[cached(key = "followed:<viewer>", ttl = "1h")]
pub(super) async fn followed(db: &DbPool, viewer: i64) -> sqlx::Result<Vec<i64>> {
    single::followed(db, viewer).await
}

/// The favourites of a viewer, in one entry for each shelf of articles: their number has no bound,
/// and the articles of a page are neighbours.
#[cached(batch(shelf in shelves), key = "favourites:<viewer>:<shelf>", ttl = "1h")]
pub(super) async fn favourites(
    db: &DbPool,
    viewer: i64,
    shelves: &[i64],
) -> sqlx::Result<HashMap<i64, Vec<i64>>> {
    single::favourites(db, viewer, shelves).await
}

/// The shelf on which an article stands.
pub(super) fn shelf(article: i64) -> i64 {
    article / single::SHELF
}
