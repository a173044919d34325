#![allow(unused_variables)]

use axum::Json;
use axum::response::Html;
use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn user(id: i64) -> Result<Json<User>, Error> {
    todo!()
}

#[cached(key = "page:<id>", ttl = 60)]
async fn page(id: i64) -> Html<String> {
    todo!()
}

fn main() {}
