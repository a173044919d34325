#![allow(unused_variables)]

use std::sync::Arc;

use cache_runtime::key::Segment;
use cache_runtime::{KeyPart, cached};

#[derive(Clone, Copy)]
struct Pool {
    litres: u32,
}

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

fn main() {}
