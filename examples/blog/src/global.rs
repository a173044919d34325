//! The functions of a service without a cache, annotated as they stand. Tags are made from the
//! parameters, and what a page shows is known only when it has been loaded; so every page has the
//! tags of all articles and all profiles, and every write of one flushes all pages.

use cache_runtime::{cached, invalidates};

use crate::database::DbPool;
use crate::sql::{joined, writes};
use crate::types::{Article, Comment, Draft, Page, Profile};

#[cached(key = "page:<viewer>:<tag>:<page>", ttl = "1h", tags = ["articles", "profiles"])]
pub(crate) async fn list(
    db: &DbPool,
    viewer: Option<i64>,
    tag: Option<&str>,
    page: i64,
) -> sqlx::Result<Page> {
    joined::list(db, viewer, tag, page).await
}

#[cached(key = "feed:<viewer>", ttl = "1h", tags = ["articles", "profiles"])]
pub(crate) async fn feed(db: &DbPool, viewer: i64) -> sqlx::Result<Vec<Article>> {
    joined::feed(db, viewer).await
}

#[cached(key = "view:<viewer>:<id>", ttl = "1h", tags = ["view:<id>", "profiles"])]
pub(crate) async fn article(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Article>> {
    joined::article(db, viewer, id).await
}

#[cached(key = "thread:<viewer>:<article>", ttl = "1h", tags = ["thread:<article>", "profiles"])]
pub(crate) async fn comments(
    db: &DbPool,
    viewer: Option<i64>,
    article: i64,
) -> sqlx::Result<Vec<Comment>> {
    joined::comments(db, viewer, article).await
}

#[cached(key = "profile:<viewer>:<id>", ttl = "1h", tags = ["profiles"])]
pub(crate) async fn profile(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Profile>> {
    joined::profile(db, viewer, id).await
}

#[invalidates(tag = "articles", tag = "view:<article>")]
pub(crate) async fn favourite(
    db: &DbPool,
    viewer: i64,
    article: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    writes::favourite(db, viewer, article, on).await
}

#[invalidates(tag = "profiles")]
pub(crate) async fn follow(
    db: &DbPool,
    viewer: i64,
    followed: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    writes::follow(db, viewer, followed, on).await
}

#[invalidates(tag = "thread:<article>")]
pub(crate) async fn comment(
    db: &DbPool,
    viewer: i64,
    article: i64,
    text: &str,
) -> sqlx::Result<Option<i64>> {
    writes::comment(db, viewer, article, text).await
}

#[invalidates(tag = "articles", tag = "view:<article>")]
pub(crate) async fn edit_article(
    db: &DbPool,
    viewer: i64,
    article: i64,
    body: &str,
) -> sqlx::Result<Option<i64>> {
    writes::edit_article(db, viewer, article, body).await
}

#[invalidates(tag = "profiles")]
pub(crate) async fn edit_profile(db: &DbPool, viewer: i64, bio: &str) -> sqlx::Result<Option<i64>> {
    writes::edit_profile(db, viewer, bio).await
}

#[invalidates(tag = "articles")]
pub(crate) async fn add_article(
    db: &DbPool,
    viewer: i64,
    draft: &Draft,
) -> sqlx::Result<Option<i64>> {
    writes::add_article(db, viewer, draft).await
}
