#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

struct Transaction<'a>(&'a Pool);

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_user(id))]
async fn rename_user(tx: &mut Transaction<'_>, id: i64) -> Result<(), Error> {
    todo!()
}

fn main() {}
