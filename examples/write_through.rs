//! A write that stores what it knows, next to one that only invalidates: `cargo run --example
//! write_through`.
//!
//! After the first the next reader finds the new value, after the second it runs the query. If two
//! writes of the same row overlap, neither stores anything: only the database knows which of them
//! came last.

use cache_runtime::{Cache, cached, invalidates, write_through};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{FromRow, Row as _};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Article {
    id: i64,
    title: String,
    stock: i64,
}

impl FromRow<'_, SqliteRow> for Article {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { id: row.try_get(0)?, title: row.try_get(1)?, stock: row.try_get(2)? })
    }
}

#[cached(key = "article:<id>", ttl = "1h", none_ttl = "30s")]
async fn article(db: &SqlitePool, id: i64) -> sqlx::Result<Option<Article>> {
    println!("    SELECT * FROM article WHERE id = {id}");
    sqlx::query_as("SELECT * FROM article WHERE id = ?").bind(id).fetch_optional(db).await
}

#[cached(key = "sold-out", ttl = "1h")]
async fn sold_out(db: &SqlitePool) -> sqlx::Result<i64> {
    println!("    SELECT count(*) FROM article WHERE stock = 0");
    sqlx::query_scalar("SELECT count(*) FROM article WHERE stock = 0").fetch_one(db).await
}

/// Returns what `article` returns, so its result is stored.
#[write_through(article(id), invalidates(sold_out()))]
async fn sell(db: &SqlitePool, id: i64, pieces: i64) -> sqlx::Result<Option<Article>> {
    let sql = "UPDATE article SET stock = stock - ? WHERE id = ? RETURNING *";
    sqlx::query_as(sql).bind(pieces).bind(id).fetch_optional(db).await
}

/// Returns something else, so the attribute says what to store: `article`, as it was before the
/// body took it.
#[write_through(article(article.id) = Some(article), sold_out() = *result)]
async fn replace(db: &SqlitePool, article: Article) -> sqlx::Result<i64> {
    let Article { id, title, stock } = article;
    let sql = "REPLACE INTO article VALUES (?, ?, ?)";
    sqlx::query(sql).bind(id).bind(title).bind(stock).execute(db).await?;
    sqlx::query_scalar("SELECT count(*) FROM article WHERE stock = 0").fetch_one(db).await
}

#[invalidates(article(id))]
async fn rename(db: &SqlitePool, id: i64, title: &str) -> sqlx::Result<()> {
    let sql = "UPDATE article SET title = ? WHERE id = ?";
    sqlx::query(sql).bind(title).bind(id).execute(db).await.map(drop)
}

#[tokio::main]
async fn main() -> sqlx::Result<()> {
    Cache::in_memory().install();
    let db = &shop().await?;

    println!("at first:");
    show(db).await?;
    println!("again:");
    show(db).await?;
    println!("three are sold, and the number of articles sold out has to be counted again:");
    sell(db, 1, 3).await?;
    show(db).await?;
    println!("the article is replaced, and both values are known:");
    replace(db, Article { id: 1, title: "Lamp".to_owned(), stock: 9 }).await?;
    show(db).await?;
    println!("it is renamed, by a write that only invalidates:");
    rename(db, 1, "Lantern").await?;
    show(db).await?;
    println!("two are sold at the same time, and the writes overlap:");
    tokio::try_join!(sell(db, 1, 1), sell(db, 1, 1))?;
    show(db).await
}

async fn show(db: &SqlitePool) -> sqlx::Result<()> {
    println!("    {:?}, {} sold out", article(db, 1).await?, sold_out(db).await?);
    Ok(())
}

async fn shop() -> sqlx::Result<SqlitePool> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let sql = "CREATE TABLE article (id INTEGER PRIMARY KEY, title TEXT, stock INTEGER);
               INSERT INTO article VALUES (1, 'Candle', 5)";
    sqlx::raw_sql(sql).execute(&db).await?;
    Ok(db)
}
