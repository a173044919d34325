//! The advice about a parameter that is not in the key depends on what it is.

#![allow(unused_variables)]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Key, KeyPart, cached};
use serde::Serialize;

struct Ctx {
    tenant: i64,
    locale: String,
}

struct Filter {
    page: u32,
}

enum Kind {
    One,
}

struct Newtype(i64);

struct Client;

struct Query<T>(T);

struct State<T>(T);

struct PgPool;

trait Repo {}

trait Source {
    fn load() -> i64;
}

#[cached(key = "menu", ttl = 60)]
async fn fields(ctx: &Ctx) -> String {
    format!("{}{}", ctx.tenant, ctx.locale)
}

#[cached(key = "menu", ttl = 60)]
async fn structs(filter: Filter, kind: Kind, newtype: &Newtype, shared: Arc<Ctx>) -> i64 {
    todo!()
}

#[cached(key = "menu", ttl = 60)]
async fn collections(
    map: &HashMap<String, i64>,
    tree: BTreeMap<i64, Filter>,
    set: HashSet<i64>,
    list: Vec<Filter>,
    ids: &[i64],
    maybe: Option<Filter>,
    pools: Vec<PgPool>,
) -> i64 {
    todo!()
}

#[cached(key = "menu", ttl = 60)]
async fn values(path: &Path, buf: PathBuf, wait: Duration, rate: f64, name: Cow<'_, str>) -> i64 {
    todo!()
}

#[cached(key = "menu", ttl = 60)]
async fn opaque(
    part: impl KeyPart,
    hashed: impl Serialize,
    items: impl Iterator<Item = i64>,
    load: impl Fn() -> i64,
    pointer: fn(i64) -> i64,
    boxed: Box<dyn Fn(i64) -> i64>,
    object: &dyn Repo,
) -> i64 {
    todo!()
}

#[cached(key = "menu", ttl = 60)]
async fn generic<P: KeyPart, R: Repo, H>(part: P, repo: &R, hashed: H) -> i64
where
    H: Serialize,
{
    todo!()
}

#[cached(key = "menu", ttl = 60)]
async fn only_a_type<S: Source>() -> i64 {
    S::load()
}

#[cached(key = "menu", ttl = 60)]
async fn a_type_of_nothing<S: Source>(source: PhantomData<S>) -> i64 {
    S::load()
}

#[cached(key = "menu", ttl = 60)]
async fn tuples(pair: (PgPool, i64), (pool, tenant): (PgPool, i64)) -> i64 {
    todo!()
}

#[cached(key = "menu", ttl = 60)]
async fn patterns(
    Query(filter): Query<Filter>,
    Query(id): Query<i64>,
    State(ctx): State<Ctx>,
    Filter { page }: Filter,
    &Newtype(number): &Newtype,
) -> i64 {
    todo!()
}

#[cached(key = "menu", ttl = 60)]
async fn named_like_a_handle(client: &Client, buffer: &mut Filter) -> i64 {
    todo!()
}

#[cached(key = "menu", ttl = 60, when = fresh, tags = ["org:<org>"])]
async fn used_elsewhere(fresh: bool, org: i64) -> i64 {
    todo!()
}

fn number_key(id: &i64) -> Key<i64> {
    todo!()
}

mod tenant {
    pub fn number_key(id: &i64) -> cache_runtime::Key<i64> {
        todo!()
    }
}

#[cached(key = number_key(&id), ttl = 60)]
async fn shared(ctx: &Ctx, id: i64) -> i64 {
    todo!()
}

#[cached(key = tenant::number_key(&id), ttl = 60)]
async fn shared_of_a_module(tenant: &Ctx, id: i64) -> i64 {
    todo!()
}

#[cached(batch(id in ids), key = "one:<id>", ttl = 60)]
async fn batch(ctx: &Ctx, ids: &[i64]) -> HashMap<i64, i64> {
    todo!()
}

#[cached(key = "menu:<id>", ttl = 60, stale_while_revalidate = 60)]
async fn detached(ctx: &Ctx, id: i64) -> i64 {
    todo!()
}

#[async_trait::async_trait]
trait Boxed {
    async fn menu(&self, ctx: &Ctx, pair: (i64, i64)) -> i64;
}

struct Database;

#[async_trait::async_trait]
impl Boxed for Database {
    #[cached(key = "menu", ttl = 60)]
    async fn menu(&self, ctx: &Ctx, (a, b): (i64, i64)) -> i64 {
        ctx.tenant
    }
}

fn main() {}
