//! What a server that is down costs: callers, the server, and those who read the log.

use std::time::Instant;

use cache_fixtures::driver::Driver;
use cache_runtime::Cache;
use cache_runtime::stats::FunctionStats;
use cache_testing::barrier::eventually;
use cache_testing::children::{self, Child, this_test};
use cache_testing::log;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Data, RedisServer};

fn row(cache: &Cache) -> FunctionStats {
    cache.stats().function("row").cloned().unwrap_or_default()
}

/// While the breaker is open no call reaches the server, and none connects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_breaker_leaves_the_server_alone() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let driver = Driver::idle(Cache::connect(&server.url_at(proxy.port())).expect("a URL"));
    driver.read(1).await.expect("a row");
    // What gets through would be carried out, and counted by the server.
    proxy.set(Link::HoldReplies).await;
    eventually!({
        driver.read(1).await.expect("a row");
        row(&driver.cache).store_down > 0
    });
    server.reset_commandstats().await;
    let (accepted, before) = (proxy.accepted(), row(&driver.cache));
    let begun = Instant::now();
    for _ in 0..5_000 {
        driver.read(1).await.expect("a row");
    }
    let took = begun.elapsed();
    let after = row(&driver.cache);
    // But for some that found a supervisor late, on a machine that stands still at times.
    let down = after.store_down - before.store_down;
    assert!(down >= 4_950, "{down} of 5000 were refused at once");
    let commands = server.commandstats().await;
    for command in ["get", "set", "evalsha"] {
        assert_eq!(commands.get(command), None, "{commands:?}");
    }
    // The bodies slept for 5 s at least, in which the supervisor has tried again about once in a
    // second.
    let connects = proxy.accepted() - accepted;
    assert!(connects <= 15 + took.as_secs(), "{connects} connections for 5000 calls in {took:?}");
    println!("fault: open breaker: {:?} a call with its body, {connects} connects", took / 5_000);
}

/// One line for each change of state, however many calls there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_for_each_change_of_state() {
    let server = RedisServer::start().await;
    let driver = Driver::patient_at(&server.url());
    for _ in 0..3 {
        driver.hits().await;
        server.kill();
        driver.calls(2_000).await;
        server.restart(Data::Lost).await;
    }
    driver.healed().await;
    let report = driver.end("SIGKILL, three times").await;
    let lines = log::about(server.port());
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    // Each time lost, reset by a server that is about to end, and refused: or some of it.
    assert!((3..=9).contains(&count("going without it")), "{lines:#?}");
    assert_eq!(count("connected"), 4, "{lines:#?}");
    assert_eq!(count("the cache uses"), 1, "{lines:#?}");
    assert_eq!(lines.len(), count("going without it") + count("connected") + 1, "{lines:#?}");
    assert!(report.calls > 6_000, "{report:?}");
}

/// That no scripts run is said once. Refusals of single commands are counted, not logged. In a
/// process of its own, since not every line names the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_do_not_fill_the_log() {
    if let Some(parent) = children::parent() {
        let driver = Driver::patient_at(&parent.setup::<String>());
        driver.calls(2_000).await;
        let refused = row(&driver.cache).store_refused;
        driver.end("NOPERM, and the log").await;
        return parent.say(&(refused, log::about(None)));
    }
    let rules = "on >secret ~* +@all -eval -evalsha";
    let server = RedisServer::builder().user("app", rules).start().await;
    let mut child = Child::spawn(&this_test!(), 0, &server.url_as("app", "secret"));
    let (refused, lines): (u64, Vec<String>) = child.hear().await;
    child.finish().await;
    assert!(refused > 500, "{refused}");
    let [first, scripts, connected] = &lines[..] else { panic!("{lines:#?}") };
    assert!(first.contains("the cache uses"), "{lines:#?}");
    assert!(connected.ends_with("connected"), "{lines:#?}");
    assert!(scripts.contains("runs no Lua scripts"), "{lines:#?}");
}
