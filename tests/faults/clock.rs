//! One process's clock is an hour fast.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_fixtures::driver::{Driver, settings};
use cache_fixtures::patient;
use cache_runtime::{Cache, cached, invalidates};
use cache_testing::children::{self, Parent, this_test};
use cache_testing::faketime;
use cache_testing::redis::RedisServer;

const HOUR: u64 = 3_600;

/// How long a fence stands: neither over within the test, nor renewed.
const FENCE: Duration = Duration::from_secs(600);

/// Whoever loads leaves a name.
#[derive(Debug)]
struct Origin(&'static str);

#[cached(key = "shared:<id>", ttl = Duration::from_secs(HOUR), skip(origin))]
async fn shared(origin: &Origin, id: u64) -> String {
    format!("{id} by {}", origin.0)
}

/// A write that lasts until the parent has seen its fence.
#[invalidates(shared(id))]
async fn change(parent: &mut Parent, id: u64) {
    parent.say("fenced");
    parent.expect("seen").await;
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_an_hour_fast() {
    if let Some(parent) = children::parent() {
        return live_in_the_future(parent).await;
    }
    let server = RedisServer::start().await;
    let client = server.client().await;
    let cache = shared_cache(&server.url());
    let here = Origin("the parent");

    // Each finds what the other has stored, for as long as it was meant to be kept.
    assert_eq!(cache.scope(shared(&here, 1)).await, "1 by the parent");
    let mut child = faketime::spawn(&this_test!(), &server.url(), "+1h");
    let ahead = child.hear::<u64>().await.abs_diff(seconds());
    assert!(ahead > HOUR - 600 && ahead < HOUR + 600, "the child is {ahead} s ahead");
    child.expect("stored").await;
    assert_eq!(cache.scope(shared(&here, 2)).await, "2 by the child");
    for key in ["@shared:shared:1", "@shared:shared:2"] {
        let left = client.pttl(key).await.expect("it is stored").as_secs();
        assert!(left > HOUR * 8 / 10 && left <= HOUR, "{left} s left of {key}");
    }

    // A fence holds, and ends when it is said to.
    child.say("change").await;
    child.expect("fenced").await;
    assert_eq!(cache.scope(shared(&here, 1)).await, "1 by the parent");
    let left = client.pttl("@shared:shared:1").await.expect("it is fenced");
    assert!(left > FENCE / 2 && left <= FENCE, "{left:?} left of the fence");
    child.say("seen").await;
    child.expect("changed").await;
    assert_eq!(client.get("@shared:shared:1").await, None);
    assert_eq!(cache.scope(shared(&here, 1)).await, "1 by the parent");
    assert!(client.get("@shared:shared:1").await.is_some());

    // Readers and writers run there as they do here.
    println!("{}", child.hear::<Vec<String>>().await.join("\n"));
    child.finish().await;
}

async fn live_in_the_future(mut parent: Parent) {
    let url: String = parent.setup();
    let cache = shared_cache(&url);
    let there = Origin("the child");
    parent.say(&seconds());
    assert_eq!(cache.scope(shared(&there, 1)).await, "1 by the parent");
    assert_eq!(cache.scope(shared(&there, 2)).await, "2 by the child");
    parent.say("stored");
    parent.expect("change").await;
    cache.scope(change(&mut parent, 1)).await;
    parent.say("changed");

    let driver = settings().namespace("child").connect(&url).expect("a URL");
    let driver = Driver::start(driver);
    driver.hits().await;
    driver.fault();
    driver.calls(2_000).await;
    driver.healed().await;
    parent.say(&driver.end("clock an hour fast").await.figures);
}

/// Of both processes, however slow the machine is.
fn shared_cache(url: &str) -> Cache {
    patient().fence(FENCE).namespace("shared").connect(url).expect("a URL")
}
