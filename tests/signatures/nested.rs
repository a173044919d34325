//! Functions that call each other, each with other attributes, in a crate that leaves rustc's
//! `recursion_limit` as it is: that this compiles is most of what is tested.

use std::collections::HashMap;
use std::fmt;

use axum::Router;
use axum::routing::get;
use cache_runtime::{Batch, Cache, cached, invalidates, write_behind, write_through};
use serde::{Deserialize, Serialize};
use tower_service::Service;

#[derive(Clone, Debug)]
struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failure")
    }
}

impl std::error::Error for Failure {}

type Found = Result<u64, Failure>;

async fn handler() -> String {
    service(1).await.unwrap().to_string()
}

#[tracing::instrument]
async fn service(id: u64) -> Found {
    locked(id).await
}

#[cached(key = "nested:locked:<id>", ttl = 60, lock)]
async fn locked(id: u64) -> Found {
    renamed(id).await.map(|found| found + 1)
}

#[invalidates(key = "nested:none:<id>")]
async fn renamed(id: u64) -> Found {
    revalidated(id).await.map(|found| found + 1)
}

#[cached(key = "nested:revalidated:<id>", ttl = 60, stale_while_revalidate = "1m")]
async fn revalidated(id: u64) -> Found {
    let many = many(vec![id]).await?;
    many.get(&id).map(|found| found + 1).ok_or(Failure)
}

#[cached(key = "nested:many:<id>", ttl = 60, batch(id in ids))]
async fn many(ids: Vec<u64>) -> Result<HashMap<u64, u64>, Failure> {
    let mut found = HashMap::new();
    for id in ids {
        found.insert(id, surviving(id).await? + 1);
    }
    Ok(found)
}

#[tracing::instrument]
#[cached(key = "nested:surviving:<id>", ttl = 60, stale_if_error = "1m")]
async fn surviving(id: u64) -> Found {
    saved(id).await.map(|found| found + 1)
}

#[write_through(entry(id))]
async fn saved(id: u64) -> Found {
    bounded(id).await.map(|found| found + 1)
}

#[cached(key = "nested:entry:<id>", ttl = 60)]
async fn entry(id: u64) -> Found {
    Ok(id)
}

#[cached(key = "nested:bounded:<id>", ttl = 60, max_concurrent_loads = 1)]
async fn bounded(id: u64) -> Found {
    early(id).await.map(|found| found + 1)
}

#[cached(key = "nested:early:<id>", ttl = 60, early = 1.0)]
async fn early(id: u64) -> Found {
    counted(id).await.map(|found| found + 1)
}

#[invalidates(tag = "nested")]
async fn counted(id: u64) -> Found {
    views_queue().push(View { page: id }).await.map_err(|_| Failure)?;
    Ok(id)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct View {
    page: u64,
}

#[write_behind(queue = "nested", key = "<view.page>")]
async fn views(views: Batch<View>) {
    tokio::task::yield_now().await;
    drop(views);
}

#[tokio::test]
async fn twelve_functions_call_each_other() {
    let cache = Cache::in_memory();
    let mut app = Router::new().route("/", get(handler)).layer(cache.layer());
    let request = axum::extract::Request::new(axum::body::Body::empty());
    let response = app.call(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
    assert_eq!(body, "9");
    let again = cache.scope(service(1)).await;
    assert_eq!(again.unwrap(), 9);
    assert_eq!(cache.stats().function("locked").unwrap().hits(), 1);
}

/// What cannot be sent to another thread keeps its call on this one, and nothing else does.
#[cached(key = "nested:local:<id>", ttl = 60)]
async fn local(id: u64) -> u64 {
    let kept = std::rc::Rc::new(id);
    tokio::task::yield_now().await;
    *kept
}

#[tokio::test]
async fn a_body_that_stays_on_its_thread_runs_on_a_local_set() {
    let work = Cache::in_memory().scope(async { local(1).await + local(1).await });
    let set = tokio::task::LocalSet::new();
    assert_eq!(set.run_until(async { tokio::task::spawn_local(work).await.unwrap() }).await, 2);
}
