//! A data loader of async-graphql over the cache: `cargo run -p graphql`, or with a server
//! `CACHE_URL=redis://127.0.0.1 cargo run -p graphql`. `cargo test -p graphql` runs the test at the
//! end.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    ComplexObject, Context, EmptySubscription, Object, Result, Schema, SimpleObject,
};
use cache_runtime::{Cache, cached, invalidates};
use serde::{Deserialize, Serialize};
use sqlx::QueryBuilder;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

#[derive(Clone, PartialEq, Serialize, Deserialize, SimpleObject)]
struct Author {
    id: i64,
    name: String,
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct Book {
    title: String,
    #[graphql(skip)]
    author: i64,
}

#[ComplexObject]
impl Book {
    async fn author(&self, context: &Context<'_>) -> Result<Option<Author>> {
        Ok(context.data::<DataLoader<Authors>>()?.load_one(self.author).await?)
    }
}

/// The loader gathers the authors of all books of a query in one call. The cache answers for those
/// that any earlier query has loaded, and the body gets the rest.
struct Authors(SqlitePool);

impl Loader<i64> for Authors {
    type Value = Author;
    // A loader's error is shared by all who wait for it, so it has to be `Clone`.
    type Error = Arc<sqlx::Error>;

    // The implementation of a trait has no room for a companion.
    #[cached(batch(id in ids), key = "author:<id>", ttl = "1h", lock, companion = false)]
    async fn load(&self, ids: &[i64]) -> Result<HashMap<i64, Author>, Self::Error> {
        println!("    SELECT the authors {:?}", sorted(ids));
        let mut query = QueryBuilder::new("SELECT id, name FROM author WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(")");
        let rows: Vec<(i64, String)> = query.build_query_as().fetch_all(&self.0).await?;
        Ok(rows.into_iter().map(|(id, name)| (id, Author { id, name })).collect())
    }
}

// For want of a companion it names the entry as the loader does.
#[invalidates(key = "author:<id>")]
async fn set_name(db: &SqlitePool, id: i64, name: &str) -> sqlx::Result<()> {
    let update = sqlx::query("UPDATE author SET name = ? WHERE id = ?").bind(name).bind(id);
    update.execute(db).await.map(drop)
}

struct Query;

#[Object]
impl Query {
    async fn books(&self, context: &Context<'_>, first: i64) -> Result<Vec<Book>> {
        let select = sqlx::query_as("SELECT title, author FROM book LIMIT ?").bind(first);
        let rows: Vec<(String, i64)> = select.fetch_all(context.data::<SqlitePool>()?).await?;
        Ok(rows.into_iter().map(|(title, author)| Book { title, author }).collect())
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn rename_author(
        &self,
        context: &Context<'_>,
        id: i64,
        name: String,
    ) -> Result<Option<Author>> {
        set_name(context.data::<SqlitePool>()?, id, &name).await?;
        Ok(context.data::<DataLoader<Authors>>()?.load_one(id).await?)
    }
}

type Library = Schema<Query, Mutation, EmptySubscription>;

fn schema(db: SqlitePool) -> Library {
    // The loader runs in a task of its own, which gets the cache of the task that asks first. It
    // has no cache of its own (`DataLoader::with_cache`): no write would reach that one.
    let spawn = |load| tokio::spawn(Cache::current().scope(load));
    Schema::build(Query, Mutation, EmptySubscription)
        .data(DataLoader::new(Authors(db.clone()), spawn))
        .data(db)
        .finish()
}

const BOOKS: &str = "{ books(first: 3) { title author { name } } }";
const ALL_BOOKS: &str = "{ books(first: 9) { title author { name } } }";
const RENAME: &str = r#"mutation { renameAuthor(id: 1, name: "Mary Ann Evans") { name } }"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("CACHE_URL").unwrap_or_else(|_| "memory:".to_owned());
    // Every run has a database of its own, so it needs a namespace of its own too.
    let namespace = format!("graphql:{}", std::process::id());
    let cache = Cache::builder().namespace(namespace).connect(&url)?;
    cache.install();
    let schema = schema(database().await?);

    for query in [BOOKS, ALL_BOOKS, ALL_BOOKS, RENAME, ALL_BOOKS] {
        let before = counted(&cache);
        println!("{query}");
        let response = schema.execute(query).await;
        let after = counted(&cache);
        println!("    {} authors from the cache, {} loads", after.0 - before.0, after.1 - before.1);
        println!("    {}", response.into_result().map_err(|errors| format!("{errors:?}"))?.data);
    }
    cache.shutdown().await?;
    Ok(())
}

/// How many authors came from the cache, and how often others were loaded.
fn counted(cache: &Cache) -> (u64, u64) {
    let stats = cache.stats();
    (stats.hits("load"), stats.loads("load"))
}

fn sorted(ids: &[i64]) -> Vec<i64> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

async fn database() -> sqlx::Result<SqlitePool> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let tables = "
        CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE book (title TEXT, author INTEGER);
        INSERT INTO author (name) VALUES ('George Eliot'), ('Jane Austen'), ('Emily Brontë');
        INSERT INTO book VALUES
            ('Middlemarch', 1), ('Emma', 2), ('Silas Marner', 1), ('Persuasion', 2), ('Wuthering Heights', 3);
    ";
    sqlx::raw_sql(tables).execute(&db).await?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn authors(schema: &Library) -> Vec<String> {
        let data = schema.execute(ALL_BOOKS).await.into_result().unwrap().data;
        let async_graphql::Value::Object(data) = data else { panic!("{data}") };
        let async_graphql::Value::List(books) = &data["books"] else { panic!("{data:?}") };
        books.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_mutation_is_seen_by_the_next_query() {
        // The scope keeps tests from seeing each other's entries.
        let cache = Cache::in_memory();
        let queries = async {
            let schema = schema(database().await.unwrap());
            let before = authors(&schema).await;
            assert_eq!(counted(&cache), (0, 1), "three authors in one load");
            assert_eq!(authors(&schema).await, before);
            assert_eq!(counted(&cache), (3, 1), "and then none");

            schema.execute(RENAME).await.into_result().unwrap();
            assert_eq!(counted(&cache), (3, 2), "the renamed one");
            let renamed: Vec<_> =
                before.iter().map(|book| book.replace("George Eliot", "Mary Ann Evans")).collect();
            assert_ne!(renamed, before);
            assert_eq!(authors(&schema).await, renamed);
            assert_eq!(counted(&cache), (6, 2));
        };
        cache.scope(queries).await;
    }
}
