//! Each mistake has a cause of its own.

use cache_fixtures::patient;
use cache_runtime::error::Cause;
use cache_runtime::{Cache, Error, ErrorKind, cached};
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;

#[cached(key = "double:<n>", ttl = 60)]
async fn double(n: u64) -> u64 {
    2 * n
}

/// What `ping` says of a URL, which the statistics, an operation by hand and the log say as well.
async fn cause_of(url: &str) -> Cause {
    log::capture();
    let cache = Cache::connect(url).expect("a URL");
    let error = cache.ping().await.expect_err(url);
    let cause = error.cause().expect("a cause").clone();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains(&cause.to_string()), "{error}");
    let is_told = || log::about(None).iter().any(|line| line.contains(&format!("{cause}; going")));
    eventually!(is_told());
    // Annotated functions work as ever.
    assert_eq!(cache.scope(double(4)).await, 8);
    let same = |error: &Error| error.cause() == Some(&cause);
    eventually!(cache.get(&double_key(&4)).await.is_err_and(|error| same(&error)));
    let failure = cache.stats().last_failure.expect("a failure");
    assert_eq!(failure.cause, cause);
    assert!(failure.at.elapsed().is_ok(), "{failure:?}");
    let json = serde_json::to_value(cache.stats()).expect("statistics");
    assert!(!json["last_failure"]["cause"].is_null(), "{json}");
    cause
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_there() {
    let server = RedisServer::builder().down();
    assert_eq!(cause_of(&server.url()).await, Cause::NobodyListens);
    let missing = cause_of("redis+unix:///nowhere/redis.sock").await;
    assert!(
        matches!(&missing, Cause::Unreachable(words) if words.contains("No such file")),
        "{missing}"
    );
    let sentinel = server.url().replace("redis://", "redis+sentinel://");
    let nobody = cause_of(&format!("{}/main", sentinel.trim_end_matches('/'))).await;
    assert!(matches!(nobody, Cause::Topology(what) if what.contains("sentinel")), "{nobody}");
    let cluster = server.url().replace("redis://", "redis+cluster://");
    assert_eq!(cause_of(&cluster).await, Cause::NobodyListens);
}

/// `.invalid` is the name that nobody has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_host() {
    let cause = cause_of("redis://redis.invalid").await;
    assert!(matches!(cause, Cause::UnknownHost(_)), "{cause}");
    assert!(!cause.to_string().contains("uncategorized"), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_answers() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    proxy.set(Link::BlackHole).await;
    assert_eq!(cause_of(&server.url_at(proxy.port())).await, Cause::TimedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_password_and_none() {
    let server = RedisServer::builder()
        .password("right")
        .user("ann", "on >hers ~* +@all")
        .setting("databases 2")
        .start()
        .await;
    for url in [server.url_without_password(), format!("{}1", server.url_without_password())] {
        let cause = cause_of(&url).await;
        assert!(
            matches!(&cause, Cause::NoPassword(it) if it.code() == "NOAUTH" && !it.words().is_empty()),
            "{cause}"
        );
    }
    for (user, password) in [("default", "other"), ("ann", "other"), ("bob", "hers"), ("", "hers")]
    {
        let cause = cause_of(&server.url_as(user, password)).await;
        let Cause::WrongPassword(refusal) = &cause else { panic!("{cause}") };
        assert_eq!(refusal.code(), "WRONGPASS");
        assert!(refusal.words().contains("invalid"), "{cause}");
    }
    assert!(patient().connect(&server.url_as("ann", "hers")).unwrap().ping().await.is_ok());
}

/// A server without a password takes one for a mistake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_for_nothing() {
    let server = RedisServer::start().await;
    let cause = cause_of(&server.url_as("", "needless")).await;
    let Cause::WrongPassword(refusal) = &cause else { panic!("{cause}") };
    assert!(refusal.words().contains("without any password configured"), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_exist() {
    let server = RedisServer::builder().password("right").setting("databases 1").start().await;
    let cause = cause_of(&format!("{}99", server.url())).await;
    let Cause::UnknownDatabase(refusal) = &cause else { panic!("{cause}") };
    assert!(refusal.words().contains("out of range"), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_clients() {
    let server = RedisServer::start().await;
    let admin = server.client().await;
    admin.config_set("maxclients", "1").await;
    // The server says why, and closes: what arrives first counts.
    let cause = cause_of(&server.url()).await;
    let is_full = |cause: &Cause| match cause {
        Cause::Refused(refusal) => refusal.words().contains("max number of clients"),
        cause => *cause == Cause::Closed,
    };
    assert!(is_full(&cause), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_and_none() {
    let server = RedisServer::start().await;
    let cause = cause_of(&server.url().replace("redis://", "rediss://")).await;
    assert!(matches!(cause, Cause::Tls(_)), "{cause}");
    let server = RedisServer::builder().tls().start().await;
    let untrusted = cause_of(&server.url()).await;
    assert!(matches!(untrusted, Cause::Tls(_)), "{untrusted}");
    let closed = cause_of(&server.url().replace("rediss://", "redis://")).await;
    assert_eq!(closed, Cause::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_is_no_cluster() {
    let server = RedisServer::start().await;
    let cause = cause_of(&server.url().replace("redis://", "redis+cluster://")).await;
    assert!(matches!(cause, Cause::Topology(what) if what.contains("not a cluster")), "{cause}");
}

/// A health check finds out at once that a server is back, whatever state the calls have left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_tries_a_lost_server() {
    let server = RedisServer::builder().password("right").start().await;
    let admin = server.client().await;
    let cache = patient().connect(&server.url_as("", "other")).unwrap();
    cache.ping().await.expect_err("the wrong password");
    admin.config_set("requirepass", "other").await;
    eventually!(cache.ping().await.is_ok());
    assert!(cache.get(&double_key(&4)).await.is_ok());
    // What was the matter is not forgotten.
    let failure = cache.stats().last_failure.expect("a failure");
    assert!(matches!(failure.cause, Cause::WrongPassword(_)), "{failure:?}");
    server.kill();
    eventually!(
        cache.ping().await.is_err_and(|error| error.cause() == Some(&Cause::NobodyListens))
    );
}

#[tokio::test]
async fn other_stores_are_always_there() {
    for cache in [Cache::in_memory(), Cache::disabled()] {
        assert!(cache.ping().await.is_ok());
        assert_eq!(cache.stats().last_failure, None);
    }
}

/// Refusals of single commands come with the server's own words, and are remembered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_refused() {
    log::capture();
    let rules = "on >secret ~* +@all -get";
    let server = RedisServer::builder().user("ann", rules).start().await;
    let cache = patient().connect(&server.url_as("ann", "secret")).unwrap();
    let error = cache.get(&double_key(&4)).await.expect_err("it is not permitted");
    assert_eq!(error.kind(), ErrorKind::Refused);
    let Some(Cause::Refused(refusal)) = error.cause() else { panic!("{error:?}") };
    assert_eq!((refusal.code(), error.server_code()), ("NOPERM", Some("NOPERM")));
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source, error.cause().map(ToString::to_string));
    assert!(refusal.words().contains("'get'"), "{refusal}");
    assert_eq!(cache.stats().last_failure.map(|it| it.cause), error.cause().cloned());
    assert!(!format!("{error:?} {:?}", cache.stats()).contains("ann"), "{error:?}");
}
