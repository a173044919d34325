//! Reads as they are written without a cache: what a request needs, in as few statements as it
//! takes.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::database::DbPool;
use crate::sql::{PAGE, push_ids, single};
use crate::types::{Article, Comment, Page, Profile, User};

const ARTICLE: &str = "
    SELECT
        a.id, a.author, a.title, a.body, a.favourites, a.version,
        EXISTS (SELECT 1 FROM favourite f WHERE f.user = ?1 AND f.article = a.id),
        u.id, u.name, u.bio, u.version,
        EXISTS (SELECT 1 FROM follow w WHERE w.follower = ?1 AND w.followed = u.id)
    FROM article a JOIN user u ON u.id = a.author";

/// Three statements.
pub(crate) async fn list(
    db: &DbPool,
    viewer: Option<i64>,
    tag: Option<&str>,
    page: i64,
) -> sqlx::Result<Page> {
    let (select, count) = match tag {
        Some(_) => (
            "JOIN article_tag t ON t.article = a.id WHERE t.tag = ?2",
            "SELECT count(*) FROM article_tag WHERE tag = ?",
        ),
        None => ("WHERE ?2 IS NULL", "SELECT count(*) FROM article WHERE ? IS NULL"),
    };
    let mut connection = db.connection(1).await?;
    let total = sqlx::query_scalar(count).bind(tag).fetch_one(&mut *connection).await?;
    drop(connection);

    let mut connection = db.connection(1).await?;
    let select = format!("{ARTICLE} {select} ORDER BY a.id DESC LIMIT ?3 OFFSET ?4");
    let select = sqlx::query(&select).bind(viewer).bind(tag).bind(PAGE).bind(PAGE * page);
    let rows = select.fetch_all(&mut *connection).await?;
    drop(connection);
    Ok(Page { articles: with_tags(db, rows).await?, total })
}

/// Two statements.
pub(crate) async fn feed(db: &DbPool, viewer: i64) -> sqlx::Result<Vec<Article>> {
    let mut connection = db.connection(1).await?;
    let select = format!(
        "{ARTICLE} WHERE a.author IN (SELECT followed FROM follow WHERE follower = ?1)
        ORDER BY a.id DESC LIMIT ?2"
    );
    let select = sqlx::query(&select).bind(viewer).bind(PAGE);
    let rows = select.fetch_all(&mut *connection).await?;
    drop(connection);
    with_tags(db, rows).await
}

/// Two statements.
pub(crate) async fn article(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Article>> {
    let mut connection = db.connection(1).await?;
    let select = format!("{ARTICLE} WHERE a.id = ?2");
    let select = sqlx::query(&select).bind(viewer).bind(id);
    let rows = select.fetch_all(&mut *connection).await?;
    drop(connection);
    Ok(with_tags(db, rows).await?.pop())
}

/// One statement.
pub(crate) async fn comments(
    db: &DbPool,
    viewer: Option<i64>,
    article: i64,
) -> sqlx::Result<Vec<Comment>> {
    let mut connection = db.connection(1).await?;
    let select = "
        SELECT
            c.id, c.text, u.id, u.name, u.bio, u.version,
            EXISTS (SELECT 1 FROM follow w WHERE w.follower = ?1 AND w.followed = u.id)
        FROM comment c JOIN user u ON u.id = c.author WHERE c.article = ?2 ORDER BY c.id";
    let select = sqlx::query(select).bind(viewer).bind(article);
    let rows = select.fetch_all(&mut *connection).await?;
    let comment = |row: &SqliteRow| {
        Ok(Comment { id: row.try_get(0)?, text: row.try_get(1)?, author: profile_at(row, 2)? })
    };
    rows.iter().map(comment).collect()
}

/// One statement.
pub(crate) async fn profile(
    db: &DbPool,
    viewer: Option<i64>,
    id: i64,
) -> sqlx::Result<Option<Profile>> {
    let mut connection = db.connection(1).await?;
    let select = "
        SELECT
            u.id, u.name, u.bio, u.version,
            EXISTS (SELECT 1 FROM follow w WHERE w.follower = ?1 AND w.followed = u.id)
        FROM user u WHERE u.id = ?2";
    let select = sqlx::query(select).bind(viewer).bind(id);
    let row = select.fetch_optional(&mut *connection).await?;
    row.map(|row| profile_at(&row, 0)).transpose()
}

/// One more statement, if there is any article.
async fn with_tags(db: &DbPool, rows: Vec<SqliteRow>) -> sqlx::Result<Vec<Article>> {
    let mut articles: Vec<Article> = rows.iter().map(article_of).collect::<sqlx::Result<_>>()?;
    let ids: Vec<i64> = articles.iter().map(|article| article.row.id).collect();
    if ids.is_empty() {
        return Ok(articles);
    }
    let mut connection = db.connection(1).await?;
    let mut tags = tags_of(&mut connection, &ids).await?;
    for Article { row, .. } in &mut articles {
        row.tags = tags.remove(&row.id).unwrap_or_default();
    }
    Ok(articles)
}

pub(super) async fn tags_of(
    connection: &mut SqliteConnection,
    articles: &[i64],
) -> sqlx::Result<HashMap<i64, Vec<String>>> {
    let mut query =
        sqlx::QueryBuilder::new("SELECT article, tag FROM article_tag WHERE article IN ");
    push_ids(&mut query, articles);
    query.push(" ORDER BY tag");
    let rows: Vec<(i64, String)> = query.build_query_as().fetch_all(connection).await?;
    Ok(single::grouped(rows))
}

fn article_of(row: &SqliteRow) -> sqlx::Result<Article> {
    let author = profile_at(row, 7)?;
    Ok(Article { row: single::row_of(row)?, favourited: row.try_get(6)?, author })
}

fn profile_at(row: &SqliteRow, at: usize) -> sqlx::Result<Profile> {
    let user = User {
        id: row.try_get(at)?,
        name: row.try_get(at + 1)?,
        bio: row.try_get(at + 2)?,
        version: row.try_get(at + 3)?,
    };
    Ok(Profile { user, following: row.try_get(at + 4)? })
}
