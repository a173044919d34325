//! `companion = ..`

#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

trait Users {
    async fn get_user(&self, id: i64) -> Result<User, Error>;
}

impl Users for Pool {
    #[cached(key = "user:<id>", ttl = 60)]
    async fn get_user(&self, id: i64) -> Result<User, Error> {
        todo!()
    }
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> String {
    todo!()
}

/// It makes no key.
#[cached(key = get_user_key(&id), ttl = 60, companion = user_entry)]
async fn get_admin(id: i64) -> String {
    todo!()
}

#[cached(key = "name:<id>", ttl = 60, companion = get_name)]
async fn get_name(id: i64) -> String {
    todo!()
}

#[cached(key = "page:<id>", ttl = 60, companion = "page_entry")]
async fn get_page(id: i64) -> String {
    todo!()
}

#[async_trait::async_trait]
trait Names {
    async fn name(&self, id: i64) -> String;
}

struct Db;

#[async_trait::async_trait]
impl Names for Db {
    #[cached(key = "db_name:<id>", ttl = 60, skip(self), companion = name_entry)]
    async fn name(&self, id: i64) -> String {
        todo!()
    }
}

fn main() {}
