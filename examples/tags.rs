//! Entries that go stale together, under keys that the write does not know: `cargo run --example
//! tags`.
//!
//! The pages and searches of a team are cached one by one, each under its own key. One write makes
//! all of them misses, through the tag that they share; those of the other team stay.

use cache_runtime::{Cache, Tag, cached, invalidates};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

const PAGE: u32 = 2;

#[cached(key = "people:<team>:<page>", ttl = "1h", tags = ["team:<team>", "people"])]
async fn people(db: &SqlitePool, team: i64, page: u32) -> sqlx::Result<Vec<String>> {
    println!("    SELECT name FROM person WHERE team = {team}, page {page}");
    let sql = "SELECT name FROM person WHERE team = ? ORDER BY name LIMIT ? OFFSET ?";
    sqlx::query_scalar(sql).bind(team).bind(PAGE).bind(PAGE * page).fetch_all(db).await
}

#[cached(key = "search:<team>:<text>", ttl = "10m", tags = ["team:<team>", "people"])]
async fn search(db: &SqlitePool, team: i64, text: &str) -> sqlx::Result<Vec<String>> {
    println!("    SELECT name FROM person WHERE team = {team}, like {text}");
    let sql = "SELECT name FROM person WHERE team = ? AND name LIKE '%' || ? || '%'";
    sqlx::query_scalar(sql).bind(team).bind(text).fetch_all(db).await
}

/// Shifts names from page to page, and may match any search: no write could list all the keys.
#[invalidates(tag = "team:<team>")]
async fn join(db: &SqlitePool, team: i64, name: &str) -> sqlx::Result<()> {
    let sql = "INSERT INTO person (team, name) VALUES (?, ?)";
    sqlx::query(sql).bind(team).bind(name).execute(db).await.map(drop)
}

/// The team is known only once the write is done.
#[invalidates(tag = "team:<result>")]
async fn leave(db: &SqlitePool, name: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("DELETE FROM person WHERE name = ? RETURNING team")
        .bind(name)
        .fetch_one(db)
        .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = Cache::in_memory();
    cache.install();
    let db = &office().await?;

    println!("at first:");
    show(db).await?;
    println!("again:");
    show(db).await?;
    println!("somebody joins team 1:");
    join(db, 1, "Barbara").await?;
    show(db).await?;
    println!("somebody leaves team 2:");
    leave(db, "Grace").await?;
    show(db).await?;
    println!("a script has changed team 1, and invalidates its tag by hand:");
    cache.invalidate_tag(Tag::builder().text("team:").part(&1).done()).await?;
    show(db).await?;
    println!("it has changed everybody:");
    cache.invalidate_tag("people").await?;
    show(db).await?;
    Ok(())
}

async fn show(db: &SqlitePool) -> sqlx::Result<()> {
    let (first, second) = (people(db, 1, 0).await?, people(db, 1, 1).await?);
    let (found, other) = (search(db, 1, "a").await?, people(db, 2, 0).await?);
    println!("    {first:?} {second:?}, with an a {found:?}; {other:?}");
    Ok(())
}

async fn office() -> sqlx::Result<SqlitePool> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let sql = "CREATE TABLE person (team INTEGER, name TEXT);
               INSERT INTO person VALUES (1, 'Ada'), (1, 'Edsger'), (1, 'Tony'), (2, 'Grace')";
    sqlx::raw_sql(sql).execute(&db).await?;
    Ok(db)
}
