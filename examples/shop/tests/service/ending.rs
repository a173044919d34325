//! SIGTERM: what was acknowledged is done, and what was begun is answered.

use std::path::Path;

use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use serde_json::Value;
use sqlx::SqlitePool;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::process::Process;

const VISITORS: i64 = 20;
const VIEWS: i64 = 50;

/// Views of five products, all of which were acknowledged when this returns.
async fn look(shop: &Process) {
    let mut visitors = JoinSet::new();
    for visitor in 0..VISITORS {
        let mut client = shop.client().await;
        visitors.spawn(async move {
            for view in 0..VIEWS {
                let path = format!("/api/products/{}/views", 1 + (visitor + view) % 5);
                assert_eq!(client.status("POST", &path, "").await, 202);
            }
        });
    }
    visitors.join_all().await;
}

async fn counted(database: &Path) -> i64 {
    let url = format!("sqlite:{}", database.display());
    let db = SqlitePool::connect(&url).await.unwrap();
    let sum = "SELECT ifnull(sum(views), 0) FROM product_views";
    let sum = sqlx::query_scalar(sum).fetch_one(&db).await.unwrap();
    db.close().await;
    sum
}

#[tokio::test]
async fn views_in_this_process_are_counted_before_it_ends() {
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("shop.db");
    let shop = Process::start(&["--database", database.to_str().unwrap()]).await;
    look(&shop).await;
    shop.finish().await;
    assert_eq!(counted(&database).await, VISITORS * VIEWS);
}

#[tokio::test]
async fn views_in_redis_are_counted_by_whoever_comes_next() {
    let (server, directory) = (RedisServer::start().await, TempDir::new().unwrap());
    let database = directory.path().join("shop.db");
    let words = ["--database", database.to_str().unwrap()];
    let first = Process::with(&server.url(), &words).await;
    look(&first).await;
    first.finish().await;
    let second = Process::with(&server.url(), &words).await;
    eventually!(counted(&database).await >= VISITORS * VIEWS);
    second.finish().await;
    assert_eq!(counted(&database).await, VISITORS * VIEWS, "each of them once");
}

#[tokio::test]
async fn a_request_that_was_begun_is_answered() {
    let shop = Process::start(&["--query-us", "20000"]).await;
    let (mut slow, mut other) = (shop.client().await, shop.client().await);
    let before = other.queries().await;
    let report = tokio::spawn(async move { slow.get::<Vec<Value>>("/api/report").await });
    // Fifty queries are counted when it has begun, and take a second.
    eventually!(other.queries().await >= before + 50);
    shop.terminate();
    assert_eq!(report.await.unwrap().len(), 8, "one line for each category");
    shop.ended().await;
}

/// A stream has no end of its own: the service must not wait for it.
#[tokio::test]
async fn streams_of_the_dashboard_end_with_the_service() {
    let shop = Process::start(&[]).await;
    let mut stream = TcpStream::connect(shop.address()).await.unwrap();
    let request = b"GET /dashboard/events HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut said = String::new();
    while !said.contains("data: {") {
        let mut bytes = [0; 4096];
        let read = within_limit("a tick", stream.read(&mut bytes)).await.unwrap();
        assert!(read > 0, "{said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    shop.finish().await;
}
