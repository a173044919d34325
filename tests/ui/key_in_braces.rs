//! Templates that are written like format strings.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_behind};

struct User {
    id: i64,
}

#[cached(key = "user:{id}", ttl = 60)]
async fn in_braces(id: i64) -> String {
    todo!()
}

#[cached(key = "user:{}", ttl = 60)]
async fn by_position(id: i64) -> String {
    todo!()
}

#[cached(key = format!("user:{id}"), ttl = 60)]
async fn by_macro(id: i64) -> String {
    todo!()
}

#[cached(key = 7, ttl = 60)]
async fn by_number(id: i64) -> String {
    todo!()
}

#[cached(key = "user:{user.id}", ttl = 60)]
async fn a_path(user: User) -> String {
    todo!()
}

#[cached(key = "user:{id:?}:x", ttl = 60, skip(id))]
async fn with_a_format(id: i64) -> String {
    todo!()
}

#[cached(key = "user:{0}", ttl = 60)]
async fn braces_spell_a_parameter(id: i64) -> String {
    todo!()
}

#[cached(key = "user:{org}:{id}", ttl = 60)]
async fn two(org: i64, id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, tags = ["org:{org}"], skip(org))]
async fn in_a_tag(org: i64, id: i64) -> String {
    todo!()
}

#[cached(batch(id in ids), key = "user:{id}:<id>", ttl = 60)]
async fn of_an_item(ids: &[i64]) -> std::collections::HashMap<i64, String> {
    todo!()
}

struct Repo {
    tenant: i64,
}

impl Repo {
    #[cached(key = "{self.tenant}:<id>", ttl = 60)]
    async fn of_self(&self, id: i64) -> String {
        todo!()
    }
}

#[cached(key = "{T}:<id>", ttl = 60, skip(T))]
async fn of_a_type<T>(id: i64) -> String {
    todo!()
}

#[invalidates(key = "user:{id}")]
async fn by_key(id: i64) {}

#[invalidates(key = "user:{result.id}")]
async fn by_result() -> User {
    todo!()
}

#[invalidates(tag = "org:{user.id}")]
async fn by_tag(user: &User) {}

#[invalidates(pattern = "user:{id}:*")]
async fn by_pattern(id: i64) {}

#[invalidates(each(id in ids) key = "user:{id}")]
async fn by_item(ids: &[i64]) {}

#[write_behind(queue = "views", key = "<view.page>:{view.site}")]
async fn save_views(views: Vec<i64>) {}

fn main() {}
