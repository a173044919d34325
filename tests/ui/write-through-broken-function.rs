#![allow(unused_variables)]

use cache_runtime::{cached, write_through};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    name: String,
}

struct Error;

#[cached(key = "user:<idx>", ttl = 60, skip(id))]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(user.id), get_user(1) = user.clone())]
async fn save_user(user: User) -> Result<User, Error> {
    todo!()
}

fn main() {}
