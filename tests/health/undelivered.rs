//! Invalidations that a server does not take: why, in its own words.

use std::fs;
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::error::Cause;
use cache_runtime::{ErrorKind, cached, invalidates};
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::redis::{Client, RedisServer};

#[cached(key = "triple:<n>", ttl = 60)]
async fn triple(n: u64) -> u64 {
    3 * n
}

#[invalidates(triple(n))]
async fn change(n: u64) {
    _ = n;
}

/// One write while the server takes none; afterwards it takes them again.
async fn is_named(server: &RedisServer, admin: &Client, code: &str, heal: &[[&str; 2]]) {
    log::capture();
    // A namespace of its own tells its lines from those of other tests.
    let cache = patient().namespace(code).connect(&server.url()).unwrap();
    // Some servers say so to a `PING` as well.
    if let Err(error) = cache.ping().await {
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(matches!(error.cause(), Some(Cause::Refused(it)) if it.code() == code), "{error}");
    }
    cache.scope(change(1)).await;
    let cannot = format!("cannot be delivered for now (refused with {code} ");
    eventually!(log::about(None).iter().any(|line| line.contains(&cannot)));
    log::says(server.port(), &format!("takes no writes: {code} "));
    let left = cache.flush(Duration::ZERO).await.expect_err("it takes no writes");
    assert_eq!(left.kind(), ErrorKind::Undelivered);
    assert!(matches!(left.cause(), Some(Cause::Refused(_))), "{left:?}");
    assert_eq!(left.server_code(), Some(code));
    // Once, however often it is tried.
    for n in 0..20 {
        cache.scope(change(n)).await;
    }
    let lines = log::about(None);
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(count(&cannot), 1, "{lines:#?}");
    assert_eq!(count(&format!("takes no writes: {code}")), 1, "{lines:#?}");
    for [name, value] in heal {
        admin.config_set(name, value).await;
    }
    eventually!(cache.flush(Duration::from_secs(1)).await.is_ok());
    assert!(cache.ping().await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_replicas() {
    let server = RedisServer::builder().setting("min-replicas-to-write 1").start().await;
    let admin = server.client().await;
    is_named(&server, &admin, "NOREPLICAS", &[["min-replicas-to-write", "0"]]).await;
}

/// The server cannot save what it holds: in the place of the file there is a directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_can_be_saved() {
    let server = RedisServer::builder().setting("save 3600 1000000").start().await;
    let admin = server.client().await;
    let place = server.directory().join("dump.rdb");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("in-the-way"), "").unwrap();
    admin.run::<()>(&["BGSAVE"]).await;
    eventually!({
        let info: String = admin.run(&["INFO", "persistence"]).await;
        info.contains("rdb_last_bgsave_status:err")
    });
    is_named(&server, &admin, "MISCONF", &[["stop-writes-on-bgsave-error", "no"]]).await;
}
