//! Writes, each with the entries that it changes.

use cache_runtime::invalidates;

use crate::database::DbPool;
use crate::rows::entries;
use crate::sql::writes;
use crate::types::Draft;

#[invalidates(entries::articles(article), entries::favourites(viewer, entries::shelf(article)))]
pub(crate) async fn favourite(
    db: &DbPool,
    viewer: i64,
    article: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    writes::favourite(db, viewer, article, on).await
}

#[invalidates(entries::followed(viewer))]
pub(crate) async fn follow(
    db: &DbPool,
    viewer: i64,
    followed: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    writes::follow(db, viewer, followed, on).await
}

#[invalidates(entries::comments(article))]
pub(crate) async fn comment(
    db: &DbPool,
    viewer: i64,
    article: i64,
    text: &str,
) -> sqlx::Result<Option<i64>> {
    writes::comment(db, viewer, article, text).await
}

#[invalidates(entries::articles(article))]
pub(crate) async fn edit_article(
    db: &DbPool,
    viewer: i64,
    article: i64,
    body: &str,
) -> sqlx::Result<Option<i64>> {
    writes::edit_article(db, viewer, article, body).await
}

#[invalidates(entries::users(viewer))]
pub(crate) async fn edit_profile(db: &DbPool, viewer: i64, bio: &str) -> sqlx::Result<Option<i64>> {
    writes::edit_profile(db, viewer, bio).await
}

#[invalidates(
    tag = "latest",
    each(tag in draft.tags) tag = "tagged:<tag>",
    entries::written(viewer)
)]
pub(crate) async fn add_article(
    db: &DbPool,
    viewer: i64,
    draft: &Draft,
) -> sqlx::Result<Option<i64>> {
    writes::add_article(db, viewer, draft).await
}
