//! Handles are left out of a key by their names; what is data must not be.

#![allow(unused_variables)]

use std::sync::Arc;

use cache_runtime::key::Segment;
use cache_runtime::{Key, KeyPart, cached};

#[derive(Clone, Copy)]
struct Pool {
    litres: u32,
}

#[derive(PartialEq, Eq, Hash)]
struct User(i64);

#[derive(PartialEq, Eq, Hash)]
struct DbPool(String);

#[derive(serde::Serialize)]
struct Cache {
    hidden_by: String,
}

struct DbConn(i64);

impl KeyPart for DbConn {
    fn write(&self, segment: &mut Segment<'_>) {
        self.0.write(segment);
    }
}

struct State<T>(T);

#[cached(key = "menu", ttl = 60)]
async fn references(pool: Pool, db: &DbPool, cache: &&mut Cache, conn: Arc<Box<DbConn>>) -> u32 {
    pool.litres
}

#[cached(key = "menu", ttl = 60)]
async fn patterns(State(pool): State<Pool>, State(Pool { litres }): State<Pool>) -> u32 {
    litres
}

#[async_trait::async_trait]
trait Boxed {
    async fn menu(&self, pool: &Pool) -> u32;
}

struct Database;

#[async_trait::async_trait]
impl Boxed for Database {
    #[cached(key = "menu", ttl = 60)]
    async fn menu(&self, pool: &Pool) -> u32 {
        pool.litres
    }
}

#[derive(Clone, Copy)]
struct Tenant {
    id: i64,
}

impl Tenant {
    #[cached(key = "menu", ttl = 60)]
    async fn by_reference(&self) -> i64 {
        self.id
    }

    #[cached(key = "menu:<dish>", ttl = 60)]
    async fn shared(self: Arc<Self>, dish: i64) -> i64 {
        self.id + dish
    }

    #[cached(ttl = 60)]
    async fn automatic(self) -> i64 {
        self.id
    }
}

#[derive(serde::Serialize)]
enum Kind {
    One,
}

impl Kind {
    #[cached(key = menu_key(), ttl = 60)]
    async fn by_expression(&self) -> i64 {
        match self {
            Self::One => 1,
        }
    }
}

fn menu_key() -> Key<i64> {
    todo!()
}

struct Locale(String);

impl KeyPart for Locale {
    fn write(&self, segment: &mut Segment<'_>) {
        self.0.write(segment);
    }
}

trait Menus {
    async fn menu(&self) -> String;
}

impl Menus for Locale {
    #[cached(key = "menu", ttl = 60, companion = false)]
    async fn menu(&self) -> String {
        self.0.clone()
    }
}

struct PgPool;

struct Repository {
    pool: PgPool,
    tenant: i64,
    cache: cache_runtime::Cache,
}

impl Repository {
    #[cached(key = "menu:<dish>", ttl = 60, cache = self.cache)]
    async fn of_a_field(&self, dish: i64) -> i64 {
        let _ = &self.pool;
        self.tenant + dish
    }
}

#[async_trait::async_trait]
trait BoxedSelf {
    async fn menu(&self) -> i64;
}

#[async_trait::async_trait]
impl BoxedSelf for User {
    #[cached(key = "menu", ttl = 60)]
    async fn menu(&self) -> i64 {
        self.0
    }
}

fn main() {}
