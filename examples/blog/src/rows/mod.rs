//! Lists as ids, and rows by their ids. A page is put together from entries that are shared by all
//! pages and all viewers, and what depends on the viewer stands beside them in entries of its own:
//! a write touches the row that it has changed, whatever pages show it.

mod entries;
mod writes;

use std::collections::{HashMap, HashSet};

use crate::database::DbPool;
use crate::sql::PAGE;
use crate::sql::single::STRETCH;
use crate::types::{Article, Comment, Page, Profile};

pub(crate) use writes::{add_article, comment, edit_article, edit_profile, favourite, follow};

pub(crate) async fn list(
    db: &DbPool,
    viewer: Option<i64>,
    tag: Option<&str>,
    page: i64,
) -> sqlx::Result<Page> {
    let stretch = page / STRETCH;
    let (ids, total) = match tag {
        Some(tag) => entries::tagged(db, tag, stretch).await?,
        None => entries::latest(db, stretch).await?,
    };
    let (skip, take) = (usize(page % STRETCH * PAGE), usize(PAGE));
    let ids: Vec<i64> = ids.into_iter().skip(skip).take(take).collect();
    Ok(Page { articles: articles(db, viewer, &ids).await?, total })
}

/// Merged from what each author has written, so that a new article touches one entry and not the
/// feeds of all who follow its author.
pub(crate) async fn feed(db: &DbPool, viewer: i64) -> sqlx::Result<Vec<Article>> {
    let authors = entries::followed(db, viewer).await?;
    let written = entries::written(db, &authors).await?;
    let mut ids: Vec<i64> = written.into_values().flatten().collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.truncate(usize(PAGE));
    articles(db, Some(viewer), &ids).await
}

pub(crate) async fn article(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Article>> {
    Ok(articles(db, viewer, &[id]).await?.pop())
}

pub(crate) async fn comments(
    db: &DbPool,
    viewer: Option<i64>,
    article: i64,
) -> sqlx::Result<Vec<Comment>> {
    let comments = entries::comments(db, article).await?;
    let authors = profiles(db, viewer, comments.iter().map(|(_, author, _)| *author)).await?;
    let comment =
        |(id, author, text)| Some(Comment { id, text, author: authors.get(&author)?.clone() });
    Ok(comments.into_iter().filter_map(comment).collect())
}

pub(crate) async fn profile(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Profile>> {
    Ok(profiles(db, viewer, [id]).await?.remove(&id))
}

/// The articles of these ids, in their order, as the viewer sees them.
async fn articles(db: &DbPool, viewer: Option<i64>, ids: &[i64]) -> sqlx::Result<Vec<Article>> {
    let (mut rows, favourites) =
        tokio::try_join!(entries::articles(db, ids), favourites(db, viewer, ids))?;
    let authors = profiles(db, viewer, rows.values().map(|row| row.author)).await?;
    let article = |id: &i64| {
        let row = rows.remove(id)?;
        let author = authors.get(&row.author)?.clone();
        Some(Article { row, favourited: favourites.contains(id), author })
    };
    Ok(ids.iter().filter_map(article).collect())
}

/// Those of a viewer that stand on the shelves of these articles.
async fn favourites(
    db: &DbPool,
    viewer: Option<i64>,
    articles: &[i64],
) -> sqlx::Result<HashSet<i64>> {
    let Some(viewer) = viewer else { return Ok(HashSet::new()) };
    let shelves: Vec<i64> = distinct(articles.iter().copied().map(entries::shelf));
    let favourites = entries::favourites(db, viewer, &shelves).await?;
    Ok(favourites.into_values().flatten().collect())
}

async fn profiles(
    db: &DbPool,
    viewer: Option<i64>,
    ids: impl IntoIterator<Item = i64>,
) -> sqlx::Result<HashMap<i64, Profile>> {
    let ids = distinct(ids);
    let followed = async {
        match viewer {
            Some(viewer) => entries::followed(db, viewer).await,
            None => Ok(Vec::new()),
        }
    };
    let (users, followed) = tokio::try_join!(entries::users(db, &ids), followed)?;
    let profile = |(id, user)| (id, Profile { user, following: followed.contains(&id) });
    Ok(users.into_iter().map(profile).collect())
}

fn distinct(ids: impl IntoIterator<Item = i64>) -> Vec<i64> {
    ids.into_iter().collect::<HashSet<_>>().into_iter().collect()
}

/// A place in a list, which is not negative.
fn usize(place: i64) -> usize {
    usize::try_from(place).unwrap_or_default()
}
