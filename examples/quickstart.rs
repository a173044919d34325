//! A table in SQLite behind the cache: `cargo run --example quickstart`, or with a server
//! `CACHE_URL=redis://127.0.0.1 cargo run --example quickstart`.

use std::fmt::Debug;
use std::time::Instant;

use cache_runtime::{Cache, CallExt as _, cached, invalidates};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::task::JoinSet;

#[derive(Debug, Serialize, Deserialize)]
struct User {
    name: String,
    spent: i64,
}

// Three ordinary functions, each with one line added.

#[cached(key = "user:<id>", ttl = "1h", none_ttl = "30s", lock)]
async fn get_user(db: &SqlitePool, id: i64) -> sqlx::Result<Option<User>> {
    // No index: this takes a while.
    let sql = "SELECT name, (SELECT ifnull(sum(cents), 0) FROM sale WHERE buyer = id)
               FROM user WHERE id = ?";
    let row: Option<(String, i64)> = sqlx::query_as(sql).bind(id).fetch_optional(db).await?;
    Ok(row.map(|(name, spent)| User { name, spent }))
}

#[invalidates(get_user(id))]
async fn rename_user(db: &SqlitePool, id: i64, name: &str) -> sqlx::Result<()> {
    let sql = "UPDATE user SET name = ? WHERE id = ?";
    sqlx::query(sql).bind(name).bind(id).execute(db).await.map(drop)
}

#[invalidates(get_user(result))]
async fn add_user(db: &SqlitePool, name: &str) -> sqlx::Result<i64> {
    let sql = "INSERT INTO user (name) VALUES (?) RETURNING id";
    sqlx::query_scalar(sql).bind(name).fetch_one(db).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("CACHE_URL").unwrap_or_else(|_| "memory:".to_owned());
    let cache = Cache::builder().namespace("quickstart").connect(&url)?;
    cache.install();

    // Removes what an earlier run left on the server. Without a server, this is the only call that
    // fails.
    let users = [1, 2, 3].map(|id| get_user_key(&id));
    match cache.invalidate(&users).await {
        Ok(()) if url == "memory:" => println!("Entries are cached in this process."),
        Ok(()) => println!("Entries are cached in Redis."),
        Err(error) => println!(
            "Redis cannot be reached, so nothing is cached and everything still works: {error}."
        ),
    }

    let db = &shop().await?;
    println!("\n{:42}{:>7}{:>10}", "", "queries", "time");
    act(&cache, "Ada is read", get_user(db, 1)).await?;
    act(&cache, "Ada is read again", get_user(db, 1)).await?;
    act(&cache, "Bob is read by 1,000 callers at once", crowd(db, 2)).await?;
    act(&cache, "Bob is renamed", rename_user(db, 2, "Robert")).await?;
    act(&cache, "Bob is read by 1,000 callers at once", crowd(db, 2)).await?;
    act(&cache, "User 3 is read, and does not exist", get_user(db, 3)).await?;
    act(&cache, "User 3 is read again", get_user(db, 3)).await?;
    act(&cache, "Cleo is added, and becomes user 3", add_user(db, "Cleo")).await?;
    act(&cache, "User 3 is read", get_user(db, 3)).await?;
    act(&cache, "Ada is read past the cache", get_user(db, 1).bypass()).await?;
    Ok(())
}

/// Prints how often a piece of work ran the query of `get_user`, how long it took, and what it
/// returned.
async fn act<T: Debug>(
    cache: &Cache,
    title: &str,
    work: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<()> {
    let queries = || cache.stats().function("get_user").map_or(0, |counted| counted.loads_ok);
    let (before, since) = (queries(), Instant::now());
    let outcome = work.await?;
    let took = format!("{:.1?}", since.elapsed());
    println!("{title:42}{:>7}{took:>10}    {outcome:?}", queries() - before);
    Ok(())
}

async fn crowd(db: &SqlitePool, id: i64) -> sqlx::Result<Option<User>> {
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        let db = db.clone();
        callers.spawn(async move { get_user(&db, id).await });
    }
    callers.join_all().await.pop().unwrap()
}

async fn shop() -> sqlx::Result<SqlitePool> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let sql = "CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT);
               CREATE TABLE sale (buyer INTEGER, cents INTEGER);
               INSERT INTO user (name) VALUES ('Ada'), ('Bob');
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000)
               INSERT INTO sale SELECT i % 2 + 1, i % 100 FROM n";
    sqlx::raw_sql(sql).execute(&db).await?;
    Ok(db)
}
