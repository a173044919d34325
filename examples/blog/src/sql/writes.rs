//! Writes. Each is committed when it returns, and returns the version that it has made: a number
//! that only grows, by which a reader can tell what is seen. `None` is a row that is not there.

use sqlx::{Connection as _, SqliteConnection};

use crate::database::DbPool;
use crate::types::Draft;

/// Adds an article to the viewer's favourites, or removes it. Returns how many have it among
/// theirs. Two statements.
pub(crate) async fn favourite(
    db: &DbPool,
    viewer: i64,
    article: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    let mut connection = db.connection(2).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let (change, by) = if on {
        ("INSERT OR IGNORE INTO favourite SELECT ?, id FROM article WHERE id = ?", 1)
    } else {
        ("DELETE FROM favourite WHERE user = ? AND article = ?", -1)
    };
    let changed = sqlx::query(change).bind(viewer).bind(article).execute(&mut *transaction).await?;
    let by = if changed.rows_affected() > 0 { by } else { 0 };
    let count = "UPDATE article SET favourites = favourites + ? WHERE id = ? RETURNING favourites";
    let count = sqlx::query_scalar(count).bind(by).bind(article);
    let count = count.fetch_optional(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(count)
}

/// Makes the viewer follow a user, or no longer. Returns 1 if that is so now. One statement.
pub(crate) async fn follow(
    db: &DbPool,
    viewer: i64,
    followed: i64,
    on: bool,
) -> sqlx::Result<Option<i64>> {
    let mut connection = db.connection(1).await?;
    let change = if on {
        "INSERT OR IGNORE INTO follow SELECT ?, id FROM user WHERE id = ?"
    } else {
        "DELETE FROM follow WHERE follower = ? AND followed = ?"
    };
    sqlx::query(change).bind(viewer).bind(followed).execute(&mut *connection).await?;
    Ok(Some(i64::from(on)))
}

/// Adds a comment. Returns its id. One statement.
pub(crate) async fn comment(
    db: &DbPool,
    viewer: i64,
    article: i64,
    text: &str,
) -> sqlx::Result<Option<i64>> {
    let mut connection = db.connection(1).await?;
    let insert = "INSERT INTO comment (article, author, text)
        SELECT id, ?, ? FROM article WHERE id = ? RETURNING id";
    let insert = sqlx::query_scalar(insert).bind(viewer).bind(text).bind(article);
    last(insert.fetch_all(&mut *connection).await)
}

/// Changes the text of an article of the viewer's. Returns its version. One statement.
pub(crate) async fn edit_article(
    db: &DbPool,
    viewer: i64,
    article: i64,
    body: &str,
) -> sqlx::Result<Option<i64>> {
    let mut connection = db.connection(1).await?;
    let update = "UPDATE article SET body = ?, version = version + 1
        WHERE id = ? AND author = ? RETURNING version";
    let update = sqlx::query_scalar(update).bind(body).bind(article).bind(viewer);
    last(update.fetch_all(&mut *connection).await)
}

/// Changes what a viewer says about writing. Returns the version of the row. One statement.
pub(crate) async fn edit_profile(db: &DbPool, viewer: i64, bio: &str) -> sqlx::Result<Option<i64>> {
    let mut connection = db.connection(1).await?;
    let update = "UPDATE user SET bio = ?, version = version + 1 WHERE id = ? RETURNING version";
    let update = sqlx::query_scalar(update).bind(bio).bind(viewer);
    last(update.fetch_all(&mut *connection).await)
}

/// Adds an article of the viewer's. Returns its id. Two statements.
pub(crate) async fn add_article(
    db: &DbPool,
    viewer: i64,
    draft: &Draft,
) -> sqlx::Result<Option<i64>> {
    let mut connection = db.connection(2).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let id = insert_article(&mut transaction, viewer, draft).await?;
    transaction.commit().await?;
    Ok(Some(id))
}

async fn insert_article(
    connection: &mut SqliteConnection,
    author: i64,
    Draft { title, body, tags }: &Draft,
) -> sqlx::Result<i64> {
    let insert = "INSERT INTO article (author, title, body, favourites, version)
        VALUES (?, ?, ?, 0, 0) RETURNING id";
    let insert = sqlx::query_scalar(insert).bind(author).bind(title).bind(body);
    let id: i64 = insert.fetch_one(&mut *connection).await?;
    if !tags.is_empty() {
        let mut query =
            sqlx::QueryBuilder::new("INSERT OR IGNORE INTO article_tag (tag, article) ");
        query.push_values(tags, |mut row, tag| {
            row.push_bind(tag).push_bind(id);
        });
        query.build().execute(connection).await?;
    }
    Ok(id)
}

/// Of all rows: a statement is committed when it has come to its end, and not with its first row.
fn last(rows: sqlx::Result<Vec<i64>>) -> sqlx::Result<Option<i64>> {
    Ok(rows?.pop())
}
