//! Reads of one kind of row each, of many rows at once.

use std::collections::HashMap;
use std::hash::Hash;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _};

use crate::database::DbPool;
use crate::sql::{PAGE, joined, push_ids};
use crate::types::{Row, User};

/// How many pages a stretch of a list has. Ids are short: one entry has room for many pages, and a
/// new article, which moves all that follow, is one load and not one for each page.
pub(crate) const STRETCH: i64 = 10;

/// The ids of a stretch of pages, and the length of the whole list. Two statements.
pub(crate) async fn latest(db: &DbPool, stretch: i64) -> sqlx::Result<(Vec<i64>, i64)> {
    let mut connection = db.connection(2).await?;
    let select = "SELECT id FROM article ORDER BY id DESC LIMIT ? OFFSET ?";
    let (limit, offset) = (PAGE * STRETCH, PAGE * STRETCH * stretch);
    let select = sqlx::query_scalar(select).bind(limit).bind(offset);
    let ids = select.fetch_all(&mut *connection).await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM article");
    Ok((ids, count.fetch_one(&mut *connection).await?))
}

/// The same of the articles that have a tag. Two statements.
pub(crate) async fn tagged(db: &DbPool, tag: &str, stretch: i64) -> sqlx::Result<(Vec<i64>, i64)> {
    let mut connection = db.connection(2).await?;
    let select =
        "SELECT article FROM article_tag WHERE tag = ? ORDER BY article DESC LIMIT ? OFFSET ?";
    let (limit, offset) = (PAGE * STRETCH, PAGE * STRETCH * stretch);
    let select = sqlx::query_scalar(select).bind(tag).bind(limit).bind(offset);
    let ids = select.fetch_all(&mut *connection).await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM article_tag WHERE tag = ?").bind(tag);
    Ok((ids, count.fetch_one(&mut *connection).await?))
}

/// The newest of each author, as many as a feed can show. One statement.
pub(crate) async fn written(db: &DbPool, ids: &[i64]) -> sqlx::Result<HashMap<i64, Vec<i64>>> {
    let mut connection = db.connection(1).await?;
    let mut query = QueryBuilder::new(
        "SELECT author, id FROM (
            SELECT author, id, row_number() OVER (PARTITION BY author ORDER BY id DESC) AS place
            FROM article WHERE author IN ",
    );
    push_ids(&mut query, ids);
    query.push(") WHERE place <= ").push_bind(PAGE).push(" ORDER BY id DESC");
    let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&mut *connection).await?;
    Ok(with_empty(grouped(rows), ids))
}

/// Two statements.
pub(crate) async fn articles(db: &DbPool, ids: &[i64]) -> sqlx::Result<HashMap<i64, Row>> {
    let mut connection = db.connection(2).await?;
    let mut query = QueryBuilder::new(
        "SELECT id, author, title, body, favourites, version FROM article WHERE id IN ",
    );
    push_ids(&mut query, ids);
    let rows = query.build().fetch_all(&mut *connection).await?;
    let mut tags = joined::tags_of(&mut connection, ids).await?;
    let article = |row: &SqliteRow| {
        let row = row_of(row)?;
        let tags = tags.remove(&row.id).unwrap_or_default();
        Ok((row.id, Row { tags, ..row }))
    };
    rows.iter().map(article).collect()
}

/// One statement.
pub(crate) async fn users(db: &DbPool, ids: &[i64]) -> sqlx::Result<HashMap<i64, User>> {
    let mut connection = db.connection(1).await?;
    let mut query = QueryBuilder::new("SELECT id, name, bio, version FROM user WHERE id IN ");
    push_ids(&mut query, ids);
    let rows: Vec<(i64, String, String, i64)> =
        query.build_query_as().fetch_all(&mut *connection).await?;
    let user = |(id, name, bio, version)| (id, User { id, name, bio, version });
    Ok(rows.into_iter().map(user).collect())
}

/// How many articles, by their ids, stand on a shelf.
pub(crate) const SHELF: i64 = 1000;

/// A viewer's favourites on these shelves. One statement.
pub(crate) async fn favourites(
    db: &DbPool,
    viewer: i64,
    shelves: &[i64],
) -> sqlx::Result<HashMap<i64, Vec<i64>>> {
    let mut connection = db.connection(1).await?;
    let mut query = QueryBuilder::new("SELECT article / ");
    query.push(SHELF).push(", article FROM favourite WHERE user = ").push_bind(viewer);
    query.push(" AND article / ").push(SHELF).push(" IN ");
    push_ids(&mut query, shelves);
    let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&mut *connection).await?;
    Ok(with_empty(grouped(rows), shelves))
}

/// All whom a viewer follows. One statement.
pub(crate) async fn followed(db: &DbPool, viewer: i64) -> sqlx::Result<Vec<i64>> {
    let mut connection = db.connection(1).await?;
    let select = sqlx::query_scalar("SELECT followed FROM follow WHERE follower = ?");
    select.bind(viewer).fetch_all(&mut *connection).await
}

/// Id, author and text of an article's comments. One statement.
pub(crate) async fn comments(db: &DbPool, article: i64) -> sqlx::Result<Vec<(i64, i64, String)>> {
    let mut connection = db.connection(1).await?;
    let select = "SELECT id, author, text FROM comment WHERE article = ? ORDER BY id";
    sqlx::query_as(select).bind(article).fetch_all(&mut *connection).await
}

/// An article without its tags, from the first six columns.
pub(super) fn row_of(row: &SqliteRow) -> sqlx::Result<Row> {
    Ok(Row {
        id: row.try_get(0)?,
        author: row.try_get(1)?,
        title: row.try_get(2)?,
        body: row.try_get(3)?,
        tags: Vec::new(),
        favourites: row.try_get(4)?,
        version: row.try_get(5)?,
    })
}

/// By the first of each pair, in the order of the pairs.
pub(super) fn grouped<K: Eq + Hash, V>(pairs: Vec<(K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups = HashMap::<_, Vec<_>>::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}

/// With a group for each key, so that it is known of which there is nothing.
fn with_empty(mut groups: HashMap<i64, Vec<i64>>, keys: &[i64]) -> HashMap<i64, Vec<i64>> {
    for key in keys {
        groups.entry(*key).or_default();
    }
    groups
}
