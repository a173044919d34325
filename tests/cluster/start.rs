//! What is found at the start.

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::{Database, Record, row, row_key};
use cache_fixtures::patient;
use cache_runtime::{Cache, ErrorKind};
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::redis::{Data, RedisCluster, RedisServer};

/// A row is read through the cache, whatever that is worth.
async fn works(cache: &Cache) {
    assert_eq!(cache.scope(row(&Database::default(), 1)).await, Ok(Record::new(1, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_may_come_up_after_the_program() {
    let cluster = RedisCluster::start().await;
    for node in cluster.primaries() {
        node.kill();
    }
    let driver = Driver::at(&cluster.url());
    driver.fault();
    driver.calls(2_000).await;
    assert!(driver.counted(|f| f.store_down) > 100);
    log::says(cluster.node(0).port(), "connection refused; going without it");
    for node in cluster.primaries() {
        node.restart(Data::Lost).await;
    }
    driver.healed().await;
    driver.end("a cluster that is down at the start").await;
}

#[tokio::test]
async fn one_seed_that_is_alive_will_do() {
    let cluster = RedisCluster::start().await;
    let dead = RedisServer::builder().down();
    let url =
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", dead.port(), cluster.node(2).port());
    let cache = patient().connect(&url).unwrap();
    works(&cache).await;
    eventually!({
        works(&cache).await;
        cache.get(&row_key(&1)).await.is_ok_and(|stored| stored.is_some())
    });
}

#[tokio::test]
async fn a_password_opens_all_nodes() {
    log::capture();
    let node = RedisServer::builder().password("open-sesame");
    let cluster = RedisCluster::of(3, false, &node).await;
    let cache = patient().connect(&cluster.url()).unwrap();
    eventually!({
        works(&cache).await;
        cache.get(&row_key(&1)).await.is_ok_and(|stored| stored.is_some())
    });

    let wrong = cluster.url().replace("open-sesame", "open-barley");
    let cache = patient().connect(&wrong).unwrap();
    works(&cache).await;
    eventually!(cache.get(&row_key(&1)).await.is_err_and(|it| it.kind() == ErrorKind::Unavailable));
    log::says(cluster.node(0).port(), "wrong user or password (WRONGPASS ");
    let told = format!("{:?} {cache:?}", log::about(None));
    assert!(!told.contains("open-sesame") && !told.contains("open-barley"), "{told}");
}

#[tokio::test]
async fn a_single_server_is_no_cluster() {
    log::capture();
    let server = RedisServer::start().await;
    let cache = patient().connect(&format!("redis+cluster://127.0.0.1:{}", server.port())).unwrap();
    works(&cache).await;
    eventually!(cache.get(&row_key(&1)).await.is_err_and(|it| it.kind() == ErrorKind::Unavailable));
    log::says(server.port(), "cluster support is disabled there): write `redis://`");
}

/// Reads and invalidates as the user `limited`.
async fn work_as_limited(cluster: &RedisCluster) -> Cache {
    let url = cluster.url().replace("://", "://limited:secret@");
    let cache = patient().connect(&url).unwrap();
    eventually!({
        works(&cache).await;
        cache.get(&row_key(&1)).await.is_ok_and(|stored| stored.is_some())
    });
    assert_eq!(cache.invalidate_matching("row:*").await.unwrap(), 1);
    cache
}

/// Whoever may not see the list of nodes does without.
#[tokio::test]
async fn little_permission_is_needed() {
    let node =
        RedisServer::builder().user("limited", "on >secret ~* +@all -cluster +cluster|slots");
    let cluster = RedisCluster::of(3, false, &node).await;
    let cache = work_as_limited(&cluster).await;
    assert_eq!(cache.get(&row_key(&1)).await.unwrap(), None);
}

/// What the guide lists for one server, and what it says that a cluster needs besides.
#[tokio::test]
async fn the_listed_commands_are_all_that_is_needed() {
    let guide = include_str!("../../cache-runtime/src/doc/when_redis_fails.md");
    let (_, list) = guide.split_once("```text\n").unwrap();
    let (list, rest) = list.split_once("```").unwrap();
    let (_, more) = rest.split_once("cluster also needs `").unwrap();
    let (more, _) = more.split_once('`').unwrap();
    let commands: Vec<_> = list.split_whitespace().chain(more.split_whitespace()).collect();
    let rules = format!("on >secret ~* resetchannels -@all {}", commands.join(" "));
    let cluster = RedisCluster::of(3, false, &RedisServer::builder().user("limited", &rules)).await;
    let cache = work_as_limited(&cluster).await;
    let stats = cache.stats();
    assert!(stats.functions.iter().all(|function| function.store_refused == 0), "{stats:?}");
}

/// Nodes say in different ways where they are: by name, by address, or by their ports alone.
#[tokio::test]
async fn nodes_are_found_by_whatever_they_announce() {
    for (kind, name) in [("ip", "127.0.0.1"), ("hostname", "localhost"), ("unknown-endpoint", "")] {
        let node = RedisServer::builder()
            .setting("cluster-announce-hostname localhost")
            .setting(&format!("cluster-preferred-endpoint-type {kind}"));
        let cluster = RedisCluster::of(3, false, &node).await;
        let home = cluster.home("row:1").await;
        let asked = cluster.node((home + 1) % 3).client().await;
        let moved = asked.run_here::<String>(&["GET", "row:1"]).await.unwrap_err();
        let there = format!("{name}:{}", cluster.node(home).port());
        assert!(moved.to_string().ends_with(&format!(" {there}")), "{moved} is not {there}");

        let cache = patient().connect(&cluster.url_by(&[(home + 1) % 3])).unwrap();
        eventually!({
            works(&cache).await;
            cache.get(&row_key(&1)).await.is_ok_and(|stored| stored.is_some())
        });
        let slot = cluster.slot("row:1").await;
        cluster.move_slot(slot, home, (home + 2) % 3).await;
        eventually!({
            works(&cache).await;
            cache.get(&row_key(&1)).await.is_ok_and(|stored| stored.is_some())
        });
    }
}
