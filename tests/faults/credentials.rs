//! Credentials are shown to the server and to nobody else.

use std::time::Duration;

use cache_fixtures::driver::Driver;
use cache_fixtures::driver::database::{Record, row_key};
use cache_runtime::Cache;
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Data, RedisServer};

const USER: &str = "Us3rN4me";
const PASSWORD: &str = "Pa55-w0rd";
/// A password that has to be escaped in a URL, as it is there and as it is meant.
const ODD: [&str; 2] = ["0dd%2FPa55%40", "0dd/Pa55@"];

fn assert_clean(what: &str, text: &str) {
    for secret in [USER, PASSWORD, ODD[0], ODD[1]] {
        assert!(!text.contains(secret), "{what} gives away {secret}: {text}");
    }
}

fn assert_discreet(cache: &Cache) {
    assert_clean("Debug", &format!("{cache:?} {cache:#?}"));
    let stats = serde_json::to_string(&cache.stats()).expect("statistics");
    assert_clean("statistics", &stats);
    assert_clean("the log", &log::about(None).join("\n"));
}

/// It needs no escape, and the one in a URL wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_beside_the_url() {
    let rules = format!("on >{} ~* +@all", ODD[1]);
    let server = RedisServer::builder().user(USER, &rules).start().await;
    for (password, given, lets_in) in
        [("", ODD[1], true), (ODD[0], PASSWORD, true), ("", "", false)]
    {
        let builder = Cache::builder().password(given);
        assert_clean("the builder", &format!("{builder:?} {builder:#?}"));
        let cache = builder.connect(&server.url_as(USER, password)).unwrap();
        let pinged = cache.ping().await;
        assert_eq!(pinged.is_ok(), lets_in, "{pinged:?}");
        assert_discreet(&cache);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_gives_credentials_away() {
    let rules = format!("on >{PASSWORD} ~* +@all");
    let server = RedisServer::builder().user(USER, &rules).start().await;
    let proxy = Proxy::to(&server).await;
    let url = format!("redis://{USER}:{PASSWORD}@127.0.0.1:{}", proxy.port());
    let builder = Cache::builder().namespace("n");
    assert_clean("the builder", &format!("{builder:?}"));
    let driver = Driver::at(&url);
    driver.hits().await;
    assert_discreet(&driver.cache);

    // Connected, lost, refused, unanswered, and back.
    proxy.reset_connections();
    driver.calls(200).await;
    for link in [Link::Refuse, Link::BlackHole, Link::ResetAfter(50)] {
        proxy.set(link).await;
        driver.calls(200).await;
        assert_discreet(&driver.cache);
    }
    for _ in 0..3 {
        let key = row_key(&1);
        let errors = [
            driver.cache.get(&key).await.err(),
            driver.cache.put(&key, &Record::new(1, 0)).await.err(),
            driver.cache.invalidate(&key).await.err(),
            driver.cache.invalidate_matching("none:*").await.err(),
            driver.cache.flush(Duration::ZERO).await.err(),
            driver.cache.clear().await.err(),
        ];
        let errors: Vec<_> = errors.into_iter().flatten().collect();
        assert!(errors.len() >= 4, "{errors:?}");
        assert_clean("an error", &format!("{errors:?}"));
        for error in errors {
            assert_clean("an error", &error.to_string());
        }
    }
    proxy.set(Link::Pass).await;
    driver.healed().await;
    assert_discreet(&driver.cache);
    driver.end("credentials").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_login_gives_no_credentials_away() {
    let server = RedisServer::builder().down();
    let caches = [format!("{USER}:{PASSWORD}"), format!(":{}", ODD[0])].map(|login| {
        Cache::connect(&format!("redis://{login}@127.0.0.1:{}/0", server.port())).expect("a URL")
    });
    server.restart(Data::Lost).await;
    server.client().await.config_set("requirepass", "another").await;
    for cache in caches {
        let driver = Driver::idle(cache);
        driver.read(1).await.expect("a row");
        assert_discreet(&driver.cache);
        let error = driver.cache.get(&row_key(&1)).await.expect_err("it may not log in");
        assert_clean("an error", &format!("{error} {error:?}"));
    }
    eventually!(log::warnings(server.port()).len() >= 2);
}

#[test]
fn a_malformed_url_is_not_repeated() {
    for url in [
        format!("redis://{USER}:{PASSWORD}@127.0.0.1:port"),
        format!("redis://{USER}:{PASSWORD}@[::1/0"),
        format!("redis://{USER}:{PASSWORD}@127.0.0.1/not-a-number"),
        format!("rediss//{USER}:{PASSWORD}@127.0.0.1"),
        format!("http://{USER}:{PASSWORD}@127.0.0.1"),
        format!("redis://:{}%zz@127.0.0.1", ODD[0]),
        PASSWORD.to_owned(),
        format!("redis://127.0.0.1/0?password={PASSWORD}"),
    ] {
        let error = Cache::connect(&url).expect_err(&url);
        assert_clean("an error", &format!("{error} {error:?}"));
    }
}
