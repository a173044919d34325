//! Many rows in one call, each cached on its own: `cargo run --example batch`, or with a server
//! `CACHE_URL=redis://127.0.0.1 cargo run --example batch`.

use std::collections::HashMap;

use cache_runtime::{Cache, cached, invalidates};
use sqlx::QueryBuilder;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

#[cached(key = "user:<id>", ttl = "1h", none_ttl = "30s", lock)]
async fn get_user(db: &SqlitePool, id: i64) -> sqlx::Result<Option<String>> {
    println!("    SELECT for {id}");
    sqlx::query_scalar("SELECT name FROM user WHERE id = ?").bind(id).fetch_optional(db).await
}

// The same entries, many at once. The body gets only the ids that have to be loaded.
#[cached(batch(id in ids), key = get_user_key(id), ttl = "1h", none_ttl = "30s", lock)]
async fn get_users(db: &SqlitePool, ids: &[i64]) -> sqlx::Result<HashMap<i64, String>> {
    println!("    SELECT for {ids:?}");
    let mut query = QueryBuilder::new("SELECT id, name FROM user WHERE id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
    let users: Vec<(i64, String)> = query.build_query_as().fetch_all(db).await?;
    Ok(users.into_iter().collect())
}

#[invalidates(each(id in ids) get_user(id))]
async fn shout(db: &SqlitePool, ids: &[i64]) -> sqlx::Result<()> {
    for id in ids {
        let update = sqlx::query("UPDATE user SET name = upper(name) WHERE id = ?");
        update.bind(id).execute(db).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("CACHE_URL").unwrap_or_else(|_| "memory:".to_owned());
    let cache = Cache::builder().namespace("batch").connect(&url)?;
    cache.install();
    let users = (1..=5).map(|id| get_user_key(&id)).collect::<Vec<_>>();
    if let Err(error) = cache.invalidate(users).await {
        println!(
            "Redis cannot be reached, so nothing is cached and everything still works: {error}."
        );
    }
    let db = &table().await?;

    println!("read user 2:");
    println!("{:?}", get_user(db, 2).await?);
    println!("read users 1 to 4, of whom 4 does not exist:");
    println!("{:?}", sorted(get_users(db, &[1, 2, 3, 4]).await?));
    println!("read them again:");
    println!("{:?}", sorted(get_users(db, &[4, 3, 2, 1]).await?));
    println!("change 1 and 3, and read all of them:");
    shout(db, &[1, 3]).await?;
    println!("{:?}", sorted(get_users(db, &[1, 2, 3, 4]).await?));
    println!("read user 3:");
    println!("{:?}", get_user(db, 3).await?);
    Ok(())
}

fn sorted(users: HashMap<i64, String>) -> Vec<(i64, String)> {
    let mut users: Vec<_> = users.into_iter().collect();
    users.sort();
    users
}

/// A table in memory, behind one connection.
async fn table() -> sqlx::Result<SqlitePool> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT)").execute(&db).await?;
    sqlx::query("INSERT INTO user (name) VALUES ('Ada'), ('Bob'), ('Cy')").execute(&db).await?;
    Ok(db)
}
