#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

struct Transaction<'a>(&'a Pool);
struct PgConnection;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(tx: &mut Transaction<'_>, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn find_user(db: &mut PgConnection, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
