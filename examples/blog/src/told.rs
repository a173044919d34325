//! Whole answers as in `global`, under tags that they tell themselves: an answer names the articles
//! and users that it shows, and a write removes the answers that show what it has changed.

use cache_runtime::{Tag, cached, invalidates, tag};

use crate::database::DbPool;
use crate::sql::{joined, writes};
use crate::types::{Article, Comment, Draft, Page, Profile};

#[cached(
    key = "told:page:<viewer>:<tag>:<page>",
    ttl = "1h",
    tags = ["told:list:<tag>", "told:viewer:<viewer>", |page: &Page| shown(&page.articles)],
)]
pub(crate) async fn list(
    db: &DbPool,
    viewer: Option<i64>,
    tag: Option<&str>,
    page: i64,
) -> sqlx::Result<Page> {
    joined::list(db, viewer, tag, page).await
}

/// What is in a feed depends on the authors whom the viewer follows; those who have written nothing
/// that it shows are not told, so a new article removes all feeds.
#[cached(
    key = "told:feed:<viewer>",
    ttl = "1h",
    tags = ["told:feeds", "told:viewer:<viewer>", |articles: &Vec<Article>| shown(articles)],
)]
pub(crate) async fn feed(db: &DbPool, viewer: i64) -> sqlx::Result<Vec<Article>> {
    joined::feed(db, viewer).await
}

#[cached(
    key = "told:view:<viewer>:<id>",
    ttl = "1h",
    tags = ["told:viewer:<viewer>", |article: &Option<Article>| shown(article)],
)]
pub(crate) async fn article(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Article>> {
    joined::article(db, viewer, id).await
}

#[cached(
    key = "told:thread:<viewer>:<article>",
    ttl = "1h",
    tags = [
        "told:thread:<article>",
        "told:viewer:<viewer>",
        |comments: &Vec<Comment>| comments.iter().map(|it| tag!("told:user:<it.author.user.id>")),
    ],
)]
pub(crate) async fn comments(
    db: &DbPool,
    viewer: Option<i64>,
    article: i64,
) -> sqlx::Result<Vec<Comment>> {
    joined::comments(db, viewer, article).await
}

#[cached(
    key = "told:profile:<viewer>:<id>",
    ttl = "1h",
    tags = ["told:user:<id>", "told:viewer:<viewer>"],
)]
pub(crate) async fn profile(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Profile>> {
    joined::profile(db, viewer, id).await
}

/// The tags of what is shown: each article and its author.
fn shown<'a>(articles: impl IntoIterator<Item = &'a Article>) -> Vec<Tag> {
    let told = |it: &Article| [tag!("told:article:<it.row.id>"), tag!("told:user:<it.row.author>")];
    articles.into_iter().flat_map(told).collect()
}

#[invalidates(tag = "told:article:<article>", tag = "told:viewer:<viewer>")]
pub(crate) async fn favourite(
    db: &DbPool,
    viewer: i64,
    article: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    writes::favourite(db, viewer, article, on).await
}

#[invalidates(tag = "told:viewer:<viewer>")]
pub(crate) async fn follow(
    db: &DbPool,
    viewer: i64,
    followed: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    writes::follow(db, viewer, followed, on).await
}

#[invalidates(tag = "told:thread:<article>")]
pub(crate) async fn comment(
    db: &DbPool,
    viewer: i64,
    article: i64,
    text: &str,
) -> sqlx::Result<Option<i64>> {
    writes::comment(db, viewer, article, text).await
}

#[invalidates(tag = "told:article:<article>")]
pub(crate) async fn edit_article(
    db: &DbPool,
    viewer: i64,
    article: i64,
    body: &str,
) -> sqlx::Result<Option<i64>> {
    writes::edit_article(db, viewer, article, body).await
}

#[invalidates(tag = "told:user:<viewer>")]
pub(crate) async fn edit_profile(db: &DbPool, viewer: i64, bio: &str) -> sqlx::Result<Option<i64>> {
    writes::edit_profile(db, viewer, bio).await
}

/// The list of everything is that of no tag.
#[invalidates(
    tag = Tag::builder().text("told:list:").part(&None::<&str>).done(),
    each(tag in draft.tags) tag = Tag::builder().text("told:list:").part(&Some(tag.as_str())).done(),
    tag = "told:feeds"
)]
pub(crate) async fn add_article(
    db: &DbPool,
    viewer: i64,
    draft: &Draft,
) -> sqlx::Result<Option<i64>> {
    writes::add_article(db, viewer, draft).await
}
