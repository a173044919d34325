//! Two writes in one database transaction: `cargo run --example transactions`.
//!
//! Until the commit nobody else can see the new balances. So until then nobody may store the old
//! ones either: they would still be served afterwards.

use cache_runtime::{Cache, cached, invalidates};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use sqlx::{Sqlite, Transaction};

#[cached(key = "account:<id>", ttl = "1h")]
async fn balance(db: &SqlitePool, id: i64) -> sqlx::Result<i64> {
    println!("    SELECT cents FROM account WHERE id = {id}");
    let sql = "SELECT cents FROM account WHERE id = ?";
    sqlx::query_scalar(sql).bind(id).fetch_one(db).await
}

// Without `in_transaction` this would not compile: when it returns, nothing has been committed yet.
#[invalidates(balance(id), in_transaction)]
async fn add(tx: &mut Transaction<'_, Sqlite>, id: i64, cents: i64) -> sqlx::Result<()> {
    let sql = "UPDATE account SET cents = cents + ? WHERE id = ?";
    sqlx::query(sql).bind(cents).bind(id).execute(&mut **tx).await.map(drop)
}

/// `after_commit` keeps the fences of both writes up until the block ends, after the commit, and
/// then invalidates.
async fn transfer(cache: &Cache, db: &SqlitePool, cents: i64) -> sqlx::Result<()> {
    let work = async {
        let mut tx = db.begin().await?;
        add(&mut tx, 1, -cents).await?;
        add(&mut tx, 2, cents).await?;
        another_request("before the commit", db).await;
        tx.commit().await
    };
    cache.after_commit(work).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = Cache::in_memory();
    cache.install();
    let directory = tempfile::tempdir()?;
    let db = &bank(&directory.path().join("bank.sqlite")).await?;

    another_request("at first", db).await;
    another_request("again", db).await;
    transfer(&cache, db, 10).await?;
    another_request("after the commit", db).await;
    another_request("again", db).await;
    Ok(())
}

/// Reads both balances as another request would: in a task of its own.
async fn another_request(when: &str, db: &SqlitePool) {
    println!("{when}:");
    let db = db.clone();
    let read = async move { (balance(&db, 1).await, balance(&db, 2).await) };
    if let Ok((Ok(first), Ok(second))) = tokio::spawn(read).await {
        println!("    {first} and {second}");
    }
}

async fn bank(file: &std::path::Path) -> sqlx::Result<SqlitePool> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    // Readers see the old rows while a transaction writes new ones.
    let db = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
    let sql = "CREATE TABLE account (id INTEGER PRIMARY KEY, cents INTEGER);
               INSERT INTO account (cents) VALUES (100), (100)";
    sqlx::raw_sql(sql).execute(&db).await?;
    Ok(db)
}
