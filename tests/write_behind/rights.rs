//! Users who may not do everything.

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_runtime::ErrorKind;
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::redis::RedisServer;

use crate::fixture::{CAREFUL, LEASE_MS, Ledger, REPLICATED, Running, queue, step, worker};

static FRAGILE: QueueSite = QueueSite::new("rights::fragile", "fragile")
    .partitions(1)
    .linger_ms(0)
    .max_attempts(1)
    .keep_all();

static MUTE: QueueSite =
    QueueSite::new("rights::mute", "mute").partitions(1).linger_ms(0).lease_ms(LEASE_MS).keep_all();

/// What a user needs who does nothing but write-behind.
const COMMANDS: &str = "on >secret ~wb:{* resetchannels -@all +hello +auth +select +client|setname \
    +info +ping +eval +evalsha +time +exists +get +set +del +pexpire +expire +hget +hmget +hset \
    +hgetall +hdel +sadd +smembers +zadd +zscore +zremrangebyscore +xadd +xlen +xrange +xread \
    +xreadgroup +xack +xdel +xautoclaim +xpending +xgroup|create +xgroup|delconsumer +xinfo|stream \
    +xinfo|consumers +wait";

#[tokio::test]
async fn a_user_with_few_rights_can_do_it_all() {
    let server = RedisServer::builder().user("limited", COMMANDS).start().await;
    let cache = patient().connect(&server.url_as("limited", "secret")).unwrap();
    let (fragile, ledger) = (queue(&FRAGILE, &cache), Ledger::default());
    ledger.refuse(|step| step.number == 1);
    for number in 0..3 {
        fragile.push(step(0, number)).await.unwrap();
    }
    let running = Running::start(worker(&FRAGILE, &cache, &ledger));
    eventually!(ledger.of(0) == [0, 2]);
    eventually!(fragile.dead_letters(10).await.unwrap().len() == 1);
    ledger.accept();
    assert_eq!(fragile.redrive().await.unwrap(), 1);
    eventually!(ledger.of(0) == [0, 2, 1]);
    fragile.pause().await.unwrap();
    fragile.resume().await.unwrap();
    fragile.push(step(0, 3)).await.unwrap();
    fragile.purge().await.unwrap();
    fragile.discard_all().await.unwrap();
    eventually!(!cache.queues().await.unwrap().is_empty());
    running.stop().await;
    let replicated = queue(&REPLICATED, &cache);
    let error = replicated.push(step(0, 0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreplicated, "{error}");
}

#[tokio::test]
async fn a_worker_that_may_not_work_says_so() {
    log::capture();
    let server = RedisServer::builder().user("limited", COMMANDS).start().await;
    let cache = patient().connect(&server.url_as("limited", "secret")).unwrap();
    let (mute, ledger) = (queue(&MUTE, &cache), Ledger::default());
    mute.push(step(0, 0)).await.unwrap();
    let client = server.client().await;
    let running = Running::start(worker(&MUTE, &cache, &ledger));
    eventually!(ledger.of(0) == [0]);
    running.stop().await;
    let lines = || {
        let refused =
            |line: &&String| line.contains("\"mute\"") && line.contains("the server refuses");
        log::about(None).iter().filter(refused).count()
    };
    for (number, command) in [(1, "hgetall"), (2, "xautoclaim")] {
        client.run::<()>(&["ACL", "SETUSER", "limited", &format!("-{command}")]).await;
        let running = Running::start(worker(&MUTE, &cache, &ledger));
        eventually!(lines() == number);
        client.run::<()>(&["ACL", "SETUSER", "limited", &format!("+{command}")]).await;
        mute.push(step(0, number as u64)).await.unwrap();
        eventually!(ledger.of(0).len() > number);
        running.stop().await;
    }
}

/// What is said not to be there may be pushed again, or go to the sink.
#[tokio::test]
async fn a_push_that_a_user_may_not_do_leaves_nothing_behind() {
    let server = RedisServer::builder().user("limited", COMMANDS).start().await;
    let cache = patient().connect(&server.url_as("limited", "secret")).unwrap();
    let (careful, client) = (queue(&CAREFUL, &cache), server.client().await);
    for command in ["hset", "xadd", "zadd", "zremrangebyscore", "expire"] {
        client.run::<()>(&["ACL", "SETUSER", "limited", &format!("-{command}")]).await;
        let error = careful.push(step(0, 0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{command}: {error}");
        assert_eq!(client.run::<u64>(&["XLEN", "wb:{careful:0}"]).await, 0, "{command}");
        client.run::<()>(&["ACL", "SETUSER", "limited", &format!("+{command}")]).await;
    }
    careful.push(step(0, 0)).await.unwrap();
}

/// Refused at once, without asking the server again, and without a new connection for each push.
#[tokio::test]
async fn without_scripts_no_item_is_taken_and_nothing_is_sent() {
    let server = RedisServer::builder().user("limited", COMMANDS).start().await;
    let client = server.client().await;
    client.run::<()>(&["ACL", "SETUSER", "limited", "-eval", "-evalsha"]).await;
    let cache = patient().connect(&server.url_as("limited", "secret")).unwrap();
    for site in [&CAREFUL, &REPLICATED] {
        let queue = queue(site, &cache);
        let mut before = None;
        for number in 0..5 {
            let error = queue.push(step(0, number)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
            let stats: String = client.run(&["INFO", "everything"]).await;
            let is_count = |line: &&str| {
                line.starts_with("total_connections_received:") || line.starts_with("errorstat_")
            };
            let counts: Vec<_> = stats.lines().filter(is_count).map(str::to_owned).collect();
            assert_eq!(*before.get_or_insert_with(|| counts.clone()), counts);
        }
    }
}
