//! `cachectl stats` and `cachectl queues`

use crate::program::{prints, prints_json};
use crate::service::{bury, cache, filled, server};

#[tokio::test]
async fn of_a_namespace() {
    let server = server().await;
    filled(&server.url()).await;
    server.client().await.set("member:acme:7", "of another namespace").await;
    let json = prints_json(&server, &["stats"]).await;
    let total = &json["total"];
    assert_eq!((&total["values"], &total["stale"]), (&13.into(), &0.into()));
    assert_eq!((&total["stamps"], &total["others"]), (&2.into(), &0.into()), "two tags");
    assert!(total["oldest_ms"].as_u64() >= total["youngest_ms"].as_u64());
    let groups = json["groups"].as_array().unwrap();
    let prices = groups.iter().find(|group| group["template"] == "price:<>").unwrap();
    assert_eq!(prices["values"], 10);
    assert!(prices["bytes"].as_u64().is_some_and(|bytes| bytes > 10 * 64));

    let text = prints(&server, &["stats", "member:*", "--scan-rate", "100000"]).await;
    let lines: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..3], ["keys", "values", "stale"]);
    assert_eq!(lines.last().unwrap()[..3], ["all", "3", "0"], "{text}");

    let text = prints(&server, &["stats", "--top", "1"]).await;
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[tokio::test]
async fn of_queues() {
    let server = server().await;
    assert_eq!(prints_json(&server, &["queues"]).await, serde_json::json!([]));
    bury(&cache(&server.url()), &["ada", "grace"]).await;
    let json = prints_json(&server, &["queues"]).await;
    assert_eq!((&json[0]["queue"], &json[0]["partitions"]), (&"logins".into(), &1.into()));
    let length = &json[0]["length"];
    assert_eq!((&length["dead_letters"], &length["waiting"]), (&2.into(), &0.into()));
    assert_eq!(json[0]["workers"], 0, "it has left");
    let text = prints(&server, &["queues"]).await;
    let line: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(line, ["logins", "0", "0", "0", "ms", "2", "0", "1", "no", "worker"], "{text}");
}
