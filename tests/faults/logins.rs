//! The user that a URL names is the one that the server sees.

use cache_fixtures::driver::database::{Record, row_key};
use cache_runtime::Cache;
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::redis::RedisServer;

/// As whom the connections of caches have logged in to the server.
async fn logged_in(server: &RedisServer) -> Vec<String> {
    let clients: String = server.client().await.run(&["CLIENT", "LIST", "TYPE", "normal"]).await;
    let ours = clients.lines().filter(|line| line.contains(" name=cache "));
    let user =
        |line: &str| line.split(' ').find_map(|it| it.strip_prefix("user=")).map(str::to_owned);
    ours.filter_map(user).collect()
}

/// Uses a cache, and says as whom it logged in.
async fn login_of(server: &RedisServer, url: &str) -> String {
    let cache = Cache::connect(url).expect("a URL");
    eventually!(cache.put(&row_key(&1), &Record::new(1, 0)).await.is_ok());
    let users = logged_in(server).await;
    assert!(users.windows(2).all(|pair| pair[0] == pair[1]), "{users:?}");
    drop(cache);
    eventually!(logged_in(server).await.is_empty());
    users.first().expect("a connection").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_a_password_is_not_the_default_user() {
    let server = RedisServer::builder()
        .user("app", "on nopass ~* &* +@all")
        .user("a:b", "on nopass ~* &* +@all")
        .user("safe", "on >secret ~* &* +@all")
        .start()
        .await;
    let sentinel = RedisServer::builder().sentinel(server.port(), 1).start().await;
    let (port, watched) = (server.port(), sentinel.port());
    let socket = server.unix_url().replace("redis+unix://", "");
    for (url, user) in [
        (format!("redis://app:@127.0.0.1:{port}"), "app"),
        (format!("redis://a%70p:@127.0.0.1:{port}"), "app"),
        (format!("redis://a%3Ab:@127.0.0.1:{port}"), "a:b"),
        // The server asks this user for no password, and takes any.
        (format!("redis://app:any@127.0.0.1:{port}"), "app"),
        (format!("redis+unix://app:@{socket}"), "app"),
        (format!("redis+sentinel://app:@127.0.0.1:{watched}/main"), "app"),
        (format!("redis://safe:secret@127.0.0.1:{port}"), "safe"),
        (format!("redis+unix://safe:secret@{socket}"), "safe"),
        (format!("redis://:@127.0.0.1:{port}"), "default"),
        (format!("redis://@127.0.0.1:{port}"), "default"),
        (format!("redis://127.0.0.1:{port}"), "default"),
    ] {
        assert_eq!(login_of(&server, &url).await, user, "{url}");
    }
}

/// Where a password is needed, an empty one is wrong; it must not become the login of somebody
/// else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_password_opens_nothing_that_needs_one() {
    let server = RedisServer::builder().user("safe", "on >secret ~* &* +@all").start().await;
    log::capture();
    let cache = Cache::connect(&format!("redis://safe:@127.0.0.1:{}", server.port())).unwrap();
    cache.put(&row_key(&1), &Record::new(1, 0)).await.expect_err("no login");
    // The call may give up before the server has answered.
    let said = "wrong user or password (WRONGPASS ";
    eventually!(log::about(server.port()).iter().any(|line| line.contains(said)));
    assert_eq!(logged_in(&server).await, [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_alone_is_that_of_the_default_user() {
    let server = RedisServer::builder().password("secret").start().await;
    let user = login_of(&server, &server.url()).await;
    assert_eq!(user, "default");
}
