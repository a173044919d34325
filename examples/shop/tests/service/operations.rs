//! What operators have of the service.

use std::collections::BTreeSet;

use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use serde_json::Value;

use crate::process::Process;

#[tokio::test]
async fn metrics_are_what_prometheus_reads() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    for _ in 0..2 {
        assert_eq!(client.status("GET", "/api/products/7", "").await, 200);
    }
    let metrics = client.metrics().await;
    assert_eq!(metrics.count("shop_database_queries_total"), 1);
    assert_eq!(metrics.count("http_server_request_duration_seconds_count"), 2);
    assert_eq!(metrics.types["http_server_request_duration_seconds"], "histogram");
    shop.finish().await;
}

#[tokio::test]
async fn health_tells_of_the_cache() {
    let shop = Process::start(&[]).await;
    let mut client = shop.client().await;
    assert_eq!(client.status("GET", "/api/products/7", "").await, 200);
    let health: Value = client.get("/healthz").await;
    let functions = health["functions"].as_array().unwrap();
    let product = functions.iter().find(|it| it["function"] == "shop::data::products::product");
    assert_eq!(product.unwrap()["loads_ok"], 1);
    shop.finish().await;
}

/// The metrics in a query: what begins like one of ours.
fn metrics_in(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words.filter(|word| ["cache_", "shop_", "http_"].iter().any(|ours| word.starts_with(ours)))
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_what_is_told() {
    let dashboard: Value =
        serde_json::from_str(include_str!("../../grafana/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let rules: Value = serde_norway::from_str(include_str!("../../prometheus/rules.yml")).unwrap();
    let alerts = rules["groups"][0]["rules"].as_array().unwrap();
    assert!((panels.len(), alerts.len()) >= (10, 6));
    let queries = targets.chain(alerts).map(|it| it["expr"].as_str().unwrap());
    let asked: BTreeSet<&str> = queries.flat_map(metrics_in).collect();
    assert!(asked.len() >= 10, "{asked:?}");

    let server = RedisServer::start().await;
    let shop = Process::with(&server.url(), &[]).await;
    let mut client = shop.client().await;
    assert_eq!(client.status("GET", "/api/products/7", "").await, 200);
    assert_eq!(client.status("POST", "/api/products/7/views", "").await, 202);
    // The length of a queue is told when it has been looked at.
    eventually!(client.metrics().await.names().contains("cache_runtime_queue_length"));
    let told = client.metrics().await.names();
    let unknown: Vec<_> = asked.into_iter().filter(|name| !told.contains(*name)).collect();
    assert_eq!(unknown, [""; 0], "of {told:?}");
    shop.finish().await;
}
