//! `cachectl watch`

use std::process::Stdio;

use cache_testing::within_limit;
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::program::{prints, prints_json, program, run};
use crate::service::{bury, cache, filled, server};

#[tokio::test]
async fn once() {
    let server = server().await;
    let cache = filled(&server.url()).await;
    bury(&cache, &["ada"]).await;
    let json = prints_json(&server, &["watch", "--once"]).await;
    let seen = &json["servers"][0];
    assert_eq!(seen["address"], format!("127.0.0.1:{}", server.port()));
    assert!(seen["keys"].as_u64().unwrap() >= 13 && seen["memory_bytes"].as_u64().unwrap() > 0);
    assert!(seen["clients"].as_u64().unwrap() >= 2 && seen["version"] != "");
    assert_eq!(json["queues"][0]["queue"], "logins");
    let text = prints(&server, &["watch", "--once"]).await;
    assert!(text.contains("ops/s") && text.contains("logins") && !text.contains('\u{1b}'));
}

/// Ctrl-C ends it, and is no failure.
#[tokio::test]
async fn until_it_is_interrupted() {
    let server = server().await;
    let mut command = program(&server);
    command.args(["watch", "--json", "--interval", "1"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || -> Json {
        let line = within_limit("a look", lines.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    };
    assert_eq!(next().await["queues"], serde_json::json!([]));
    bury(&cache(&server.url()), &["ada"]).await;
    within_limit("it looks again", async {
        while next().await["queues"] == serde_json::json!([]) {}
    })
    .await;
    // An outage is shown, and does not end it.
    server.kill();
    within_limit("it sees the outage", async { while next().await.get("error").is_none() {} })
        .await;
    let pid = child.id().unwrap().to_string();
    let killed = Command::new("sh").args(["-c", "kill -s INT \"$0\"", &pid]).status().await;
    assert!(killed.unwrap().success());
    let status = within_limit("it ends", child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn once_at_a_server_that_is_down() {
    let server = server().await;
    server.kill();
    let ended = run(&mut program(&server), &["watch", "--once", "--json"]).await;
    assert_eq!((ended.status, &*ended.stdout), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("not reachable"), "{ended:?}");
}
