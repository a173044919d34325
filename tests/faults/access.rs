//! The server answers, and refuses.

use cache_fixtures::driver::Driver;
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::redis::{Client, RedisServer};

/// Closes all connections but one's own.
async fn kill_clients(admin: &Client) {
    admin.run::<u64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
}

/// A server that has become a replica keeps its values and takes no invalidations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_after_a_change_of_roles() {
    let server = RedisServer::start().await;
    let nobody = RedisServer::builder().down();
    let admin = server.client().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    // A primary that cannot be reached: what is stored stays, and grows old.
    admin.run::<()>(&["REPLICAOF", "127.0.0.1", &nobody.port().to_string()]).await;
    driver.calls(2_000).await;
    assert!(driver.cache.stats().journal_depth > 0);
    assert!(
        driver.counted(|f| f.store_refused) > 0 && driver.counted(|f| f.uncached.outdated) > 100
    );
    admin.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    driver.healed().await;
    driver.end("-READONLY").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password() {
    let server = RedisServer::builder().password("right").start().await;
    let driver = Driver::patient_at(&server.url_without_password());
    driver.fault();
    driver.calls(2_000).await;
    let lines = log::warnings(server.port());
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("a password is missing (NOAUTH "), "{lines:?}");
    server.client().await.config_set("requirepass", "").await;
    driver.healed().await;
    driver.end("NOAUTH").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_password() {
    let server = RedisServer::builder().password("right").start().await;
    let admin = server.client().await;
    let driver = Driver::patient_at(&server.url_as("default", "other"));
    driver.fault();
    driver.calls(2_000).await;
    let lines = log::warnings(server.port());
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("wrong user or password (WRONGPASS "), "{lines:?}");
    admin.config_set("requirepass", "other").await;
    driver.healed().await;
    driver.end("WRONGPASS").await;
}

/// The password is changed under a running program, and changed back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn password_changed() {
    let server = RedisServer::builder().password("right").start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    admin.config_set("requirepass", "changed").await;
    kill_clients(&admin).await;
    driver.calls(2_000).await;
    admin.config_set("requirepass", "right").await;
    driver.healed().await;
    driver.end("password changed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_permission_for_scripts() {
    let rules = "on >secret ~* +@all -eval -evalsha";
    let server = RedisServer::builder().user("app", rules).start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url_as("app", "secret"));
    driver.fault();
    driver.calls(2_000).await;
    // Fences need scripts; invalidations do not.
    eventually!(driver.cache.stats().journal_depth == 0);
    let row = driver.cache.stats().function("row").cloned().expect("it was called");
    assert!(row.store_refused > 500, "{row:?}");
    admin.run::<()>(&["ACL", "SETUSER", "app", "+eval", "+evalsha"]).await;
    driver.healed().await;
    driver.end("NOPERM for EVAL").await;
}

/// The permission is taken away and given back, with values in place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permission_for_scripts_taken_away() {
    let server = RedisServer::builder().user("app", "on >secret ~* +@all").start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url_as("app", "secret"));
    for _ in 0..3 {
        driver.hits().await;
        driver.fault();
        admin.run::<()>(&["ACL", "SETUSER", "app", "-eval", "-evalsha"]).await;
        driver.calls(1_000).await;
        admin.run::<()>(&["ACL", "SETUSER", "app", "+eval", "+evalsha"]).await;
    }
    driver.healed().await;
    driver.end("NOPERM for EVAL, on and off").await;
}

/// Only patterns need `SCAN`. What matches one that could not be delivered is bypassed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_permission_to_scan() {
    let server = RedisServer::builder().user("app", "on >secret ~* +@all -scan").start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url_as("app", "secret"));
    driver.hits().await;
    driver.fault();
    driver.write_all().await;
    eventually!(driver.cache.stats().journal_depth > 0);
    let hits = driver.cache.stats().function("row").expect("it was called").hits();
    driver.calls(1_000).await;
    let row = driver.cache.stats().function("row").cloned().expect("it was called");
    // Those that were under way.
    assert!(row.hits() < hits + 20, "{row:?}");
    admin.run::<()>(&["ACL", "SETUSER", "app", "+scan"]).await;
    driver.healed().await;
    driver.end("NOPERM for SCAN").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_clients() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let driver = Driver::at(&server.url());
    driver.hits().await;
    driver.fault();
    admin.config_set("maxclients", "1").await;
    kill_clients(&admin).await;
    driver.calls(2_000).await;
    admin.config_set("maxclients", "1000").await;
    driver.healed().await;
    log::says(server.port(), "connection closed; going without it");
    driver.end("maxclients").await;
}
