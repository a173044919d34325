#![allow(unused_variables)]

use cache_runtime::{cached, write_through};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    name: String,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<Option<User>, Error> {
    todo!()
}

#[write_through(get_user(user.id) = result.clone(), get_user(1) = user.name)]
async fn save_user(user: User) -> Result<User, Error> {
    todo!()
}

fn main() {}
