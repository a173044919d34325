//! diesel behind the cache: `cargo run --example diesel`, or with a server
//! `CACHE_URL=redis://127.0.0.1 cargo run --example diesel`.
//!
//! diesel blocks its thread, so each query runs on one of Tokio's threads for such work. The
//! attributes stand on the async functions around it. A transaction begins and ends inside one such
//! function, so its writes are committed when the function returns, and `#[invalidates]` needs to
//! know nothing of it.

use cache_runtime::{Cache, cached, invalidates};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sqlite::SqliteConnection;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, BoxError>;

diesel::table! {
    account (id) {
        id -> BigInt,
        owner -> Text,
        cents -> BigInt,
    }
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = account)]
struct Account {
    id: i64,
    owner: String,
    cents: i64,
}

/// A pool of connections, each of which is used on a thread that may block.
#[derive(Clone)]
struct Database(Pool<ConnectionManager<SqliteConnection>>);

impl Database {
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.0.clone();
        // Waiting for a connection blocks, too.
        spawn_blocking(move || {
            let mut connection = pool.get()?;
            Ok(work(&mut connection)?)
        })
        .await?
    }
}

#[cached(key = "account:<id>", ttl = "1h", none_ttl = "30s", skip(db))]
async fn get_account(db: &Database, id: i64) -> Result<Option<Account>> {
    let select = account::table.find(id).select(Account::as_select());
    db.run(move |connection| select.first(connection).optional()).await
}

#[invalidates(get_account(from), get_account(to))]
async fn transfer(db: &Database, from: i64, to: i64, cents: i64) -> Result<()> {
    db.run(move |connection| {
        connection.transaction(|connection| {
            for (id, change) in [(from, -cents), (to, cents)] {
                diesel::update(account::table.find(id))
                    .set(account::cents.eq(account::cents + change))
                    .execute(connection)?;
            }
            Ok(())
        })
    })
    .await
}

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::var("CACHE_URL").unwrap_or_else(|_| "memory:".to_owned());
    // Every run has a database of its own, so it needs a namespace of its own too.
    let namespace = format!("diesel:{}", std::process::id());
    let cache = Cache::builder().namespace(namespace).connect(&url)?;
    cache.install();
    let db = &bank().await?;

    for id in [1, 1, 2] {
        println!("{:?}", get_account(db, id).await?);
    }
    transfer(db, 1, 2, 250).await?;
    println!("Ada sends Bob 2.50");
    for id in [1, 2, 2] {
        println!("{:?}", get_account(db, id).await?);
    }
    let queries = cache.stats().function("get_account").map_or(0, |counted| counted.loads_ok);
    println!("{queries} queries for 6 reads");
    cache.shutdown().await?;
    Ok(())
}

async fn bank() -> Result<Database> {
    let manager = ConnectionManager::new("file:bank?mode=memory&cache=shared");
    let db = Database(Pool::builder().max_size(2).build(manager)?);
    db.run(|connection| {
        diesel::sql_query(
            "CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, \
            cents INTEGER NOT NULL)",
        )
        .execute(connection)?;
        let rows = [("Ada", 1_000), ("Bob", 0)]
            .map(|(owner, cents)| (account::owner.eq(owner), account::cents.eq(cents)));
        rows.into_iter().try_for_each(|row| {
            diesel::insert_into(account::table).values(row).execute(connection).map(drop)
        })
    })
    .await?;
    Ok(db)
}
