//! What a key may leave out.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use cache_runtime::{Cache, Key, cached, invalidates, write_through};

use crate::once::{Failed, Pool, Row, once, row};

#[derive(Debug)]
struct PgPool;

#[derive(Debug)]
struct State<T>(T);

trait Executor<'e> {}
impl Executor<'_> for &Pool {}

trait ConnectionTrait {}
impl ConnectionTrait for Pool {}

#[derive(Debug)]
struct AsyncPgConnection;

#[derive(Debug)]
struct NewTransaction {
    account: i64,
}

mod reqwest {
    #[derive(Debug)]
    pub struct Client;
}

#[cached(key = "handles:<id>", ttl = 3600)]
async fn handles(
    db: &PgPool,
    shared: Arc<Pool>,
    lent: &mut Pool,
    http: &reqwest::Client,
    #[cfg(not(unix))] there: &PgPool,
    #[cfg(unix)] there: &Pool,
    id: i64,
) -> Row {
    let _ = (db, shared, lent, http, there);
    row(id)
}

#[cached(key = "extracted:<id>", ttl = 3600)]
async fn extracted(State(pool): State<PgPool>, whole: State<Arc<PgPool>>, id: i64) -> Row {
    let _ = (pool, whole.0);
    row(id)
}

#[cached(key = "empty", ttl = 3600)]
async fn empty(unit: (), marker: PhantomData<Row>, _: &NewTransactions) -> Row {
    let ((), PhantomData) = (unit, marker);
    row(0)
}

type NewTransactions = [NewTransaction];

#[cached(key = "skipped:<T>:<id>", ttl = 3600, skip(numbers, load, N))]
async fn skipped<T: Default + Into<i64>, const N: usize, F>(
    numbers: impl Iterator<Item = i64>,
    load: F,
    id: i64,
) -> Row
where
    F: Fn(i64) -> i64,
{
    row(load(id + T::default().into()) + numbers.sum::<i64>())
}

#[cached(key = numbered_key(&format!("{id}")), ttl = 3600, skip(offset))]
async fn shared(db: &PgPool, offset: i64, id: i64) -> Row {
    let _ = db;
    row(id + offset)
}

fn numbered_key(id: &str) -> Key<Row> {
    Key::<Row>::builder().text("numbered:").part(id).done()
}

struct App {
    cache: Cache,
}

#[cached(key = "own-cache:<id>", ttl = 3600, cache = app.cache)]
async fn own_cache(app: &App, id: i64) -> Row {
    row(id)
}

#[cached(batch(id in ids), key = "batch:<id>", ttl = 3600)]
async fn batch(db: &PgPool, ids: &[i64]) -> HashMap<i64, i64> {
    let _ = db;
    ids.iter().map(|&id| (id, id)).collect()
}

#[cached(key = "executor:<id>", ttl = 3600, pooled)]
async fn by_bound<'e, E: Executor<'e>>(db: E, other: &impl ConnectionTrait, id: i64) -> Row {
    let _ = (db, other);
    row(id)
}

#[cached(key = "connection:<id>", ttl = 3600, pooled)]
async fn by_connection(conn: &mut AsyncPgConnection, id: i64) -> Row {
    let _ = conn;
    row(id)
}

#[cached(key = "fee:<payment.account>", ttl = 3600, pooled)]
async fn fee(payment: &NewTransaction) -> Row {
    row(payment.account)
}

#[invalidates(by_connection(payment.account), pooled)]
async fn pay(db: &dyn ConnectionTrait, payment: NewTransaction) {
    let _ = (db, payment.account);
}

#[write_through(by_connection(id), pooled)]
async fn store(conn: &mut AsyncPgConnection, id: i64) -> Result<Row, Failed> {
    let _ = conn;
    Ok(row(id))
}

/// Nothing tells that it is data, and the methods use nothing of it that is.
struct Repository {
    pool: PgPool,
    tenant: i64,
}

impl Repository {
    #[cached(key = "repository:<id>", ttl = 3600)]
    async fn by_pool(&self, id: i64) -> Row {
        struct Local {
            tenant: i64,
        }
        impl Local {
            fn tenant(&self) -> i64 {
                self.tenant
            }
        }
        let _ = &self.pool;
        row(id + Local { tenant: 0 }.tenant())
    }

    #[cached(ttl = 3600, skip(self))]
    async fn automatic(self: Arc<Self>, id: i64) -> Row {
        row(id + self.tenant - self.tenant)
    }
}

#[derive(Clone, Copy)]
struct Stateless;

#[async_trait::async_trait]
trait Boxed {
    async fn find(&self, id: i64, unit: Pool) -> Row;
}

#[async_trait::async_trait]
impl Boxed for Stateless {
    #[cached(key = "stateless:<id>", ttl = 3600, skip(self))]
    async fn find(&self, id: i64, _: Pool) -> Row {
        row(id)
    }
}

#[async_trait::async_trait]
impl Boxed for Repository {
    #[cached(key = "boxed-repository:<id>", ttl = 3600)]
    async fn find(&self, id: i64, unit: Pool) -> Row {
        let _ = (&self.pool, unit);
        row(id)
    }
}

#[tokio::test]
async fn what_decides_nothing_is_left_out() {
    let (db, http) = (PgPool, reqwest::Client);
    once!("handles:7", async {
        let (shared, mut lent) = (Arc::new(Pool), Pool);
        handles(&db, shared, &mut lent, &http, &Pool, 7).await
    });
    once!("extracted:7", extracted(State(PgPool), State(Arc::new(PgPool)), 7));
    once!("empty", empty((), PhantomData, &[]));
    once!("skipped:i32:7", skipped::<i32, 3, _>([1, 2].into_iter(), |id| id, 7));
    once!("numbered:7", shared(&db, 1, 7));
    once!("batch:7", async { batch(&db, &[7]).await.remove(&7) });

    let app = App { cache: Cache::in_memory() };
    assert_eq!(own_cache(&app, 7).await, own_cache(&app, 7).await);
    assert_eq!(app.cache.get(&own_cache_key(&7)).await.unwrap().unwrap().id, 7);
}

#[tokio::test]
async fn a_self_that_is_no_data_is_left_out() {
    let repository = Arc::new(Repository { pool: PgPool, tenant: 7 });
    once!("repository:7", repository.by_pool(7));
    once!("boxed-repository:7", repository.find(7, Pool));
    once!("stateless:7", Stateless.find(7, Pool));
    let cache = Cache::in_memory();
    let call = || cache.scope(Arc::clone(&repository).automatic(7));
    assert_eq!(call().await, call().await);
}

#[tokio::test]
async fn a_pool_by_the_users_word() {
    once!("executor:7", by_bound(&Pool, &Pool, 7));
    once!("connection:7", by_connection(&mut AsyncPgConnection, 7));
    once!("fee:7", fee(&NewTransaction { account: 7 }));

    let cache = Cache::in_memory();
    cache
        .scope(async {
            let before = by_connection(&mut AsyncPgConnection, 7).await;
            pay(&Pool, NewTransaction { account: 7 }).await;
            let after = by_connection(&mut AsyncPgConnection, 7).await;
            assert_ne!(before, after);
            let stored = store(&mut AsyncPgConnection, 7).await.unwrap();
            assert_eq!(by_connection(&mut AsyncPgConnection, 7).await, stored);
        })
        .await;
}
