//! The same program and a cluster.

use cache_testing::redis::{RedisCluster, RedisServer};
use serde_json::Value as Json;

use crate::program::{program_at, run, succeeded};
use crate::service::{PASSWORD, bury, filled, has_member};

#[tokio::test]
async fn every_command() {
    let node = RedisServer::builder().password(PASSWORD);
    let cluster = RedisCluster::of(3, false, &node).await;
    let cache = filled(&cluster.url()).await;
    bury(&cache, &["ada", "grace"]).await;
    // The URL in the environment has the password here.
    let prints = async |arguments: &[&str]| -> Json {
        let arguments = [arguments, &["--json"]].concat();
        let text = succeeded(run(&mut program_at(&cluster.url()), &arguments).await);
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(prints(&["stats"]).await["total"]["values"], 13);
    let found = prints(&["explain", "member:acme:7", "--tag", "org:acme"]).await;
    assert_eq!((&found["obstacle"], &found["tags"][0]["state"]), (&Json::Null, &"current".into()));
    assert_eq!(prints(&["queues"]).await[0]["length"]["dead_letters"], 2);
    assert_eq!(prints(&["watch", "--once"]).await["servers"].as_array().unwrap().len(), 3);
    let dropped = prints(&["dead-letters", "drop", "logins", "--all"]).await;
    assert_eq!(dropped["letters"], 2);
    assert_eq!(prints(&["invalidate", "--pattern", "price:*"]).await["entries"], 10);
    assert_eq!(prints(&["invalidate", "--tag", "org:acme", "--dry-run"]).await["entries"], 2);
    prints(&["invalidate", "--tag", "org:acme"]).await;
    assert!(!has_member(&cache, "acme", 7).await && has_member(&cache, "other", 7).await);
}
