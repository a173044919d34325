//! What is found in a namespace, and how fast it is looked for.

use std::time::{Duration, Instant};

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore, Store, on_all_stores};
use cache_runtime::inspect::{Survey, SurveyGroup};
use cache_runtime::{Cache, Tag, cached, invalidates};
use cache_testing::redis::RedisServer;

/// More than a server looks at in one step.
const MANY: u64 = 1_500;

#[cached(key = "employee:<org>:<id>", ttl = "1h", tags = ["org:<org>"])]
async fn employee(org: &str, id: u64) -> u64 {
    _ = org;
    id
}

#[cached(key = "summary:<id>", ttl = "1h", stale_if_error = "1h")]
async fn summary(id: u64) -> Result<u64, std::fmt::Error> {
    Ok(id)
}

#[invalidates(key = "held:<id>", hold_off = "1h")]
async fn hold_off(id: u64) {}

struct Fixture {
    cache: Cache,
    other: Cache,
    /// Ends with the test.
    _store: Store,
}

impl OnStore for Fixture {
    fn on(store: Store) -> Self {
        let cache = store.connect(patient().namespace("shop"));
        let other = store.connect(patient().namespace("other"));
        Self { cache, other, _store: store }
    }
}

async fn survey(cache: &Cache, pattern: &str) -> Survey {
    cache.survey(pattern).run(|_| {}).await.unwrap()
}

/// Values and bytes of a group.
fn values(survey: &Survey, template: &str) -> Option<u64> {
    let of = |group: &&SurveyGroup| group.template == template;
    survey.groups.iter().find(of).map(|group| group.values)
}

async fn every_key_is_counted_once(fixture: Fixture) {
    let Fixture { cache, other, .. } = &fixture;
    let fill = async {
        for id in 0..MANY {
            employee("acme", id).await;
        }
        employee("other", 1).await;
        summary(1).await.unwrap();
        summary(2).await.unwrap();
        hold_off(1).await;
    };
    cache.scope(fill).await;
    other.scope(employee("acme", 1)).await;
    cache.invalidate_keeping_stale(&summary_key(&1)).await.unwrap();

    let all = survey(cache, "*").await;
    let SurveyGroup { values: count, stale, guards, stamps, others, .. } = all.total;
    assert_eq!((count, stale, guards, stamps, others), (MANY + 3, 1, 1, 2, 0), "{all:?}");
    assert_eq!(all.total.keys(), MANY + 6);
    assert_eq!(values(&all, "employee:acme:<>"), Some(MANY), "{all:?}");
    assert_eq!(values(&all, "employee:other:<>"), Some(1));
    assert_eq!(values(&all, "summary:<>"), Some(2));
    assert_eq!(values(&all, "held:<>"), Some(0));
    assert!(all.total.bytes > 64 * MANY && all.groups[0].template == "employee:acme:<>");
    assert!(all.total.youngest <= all.total.oldest && all.total.oldest.is_some());

    assert_eq!(survey(cache, "summary:*").await.total.keys(), 2);
    assert_eq!(survey(cache, "nothing:*").await.total, SurveyGroup::default());
    assert_eq!(survey(other, "*").await.total.values, 1);
    for (org, expected) in [("acme", MANY), ("other", 1), ("none", 0)] {
        let tag = Tag::builder().text("org:").part(org).done();
        let with_tag = cache.survey("*").tag(&tag).run(|_| {}).await.unwrap();
        assert_eq!(with_tag.total.keys(), expected, "{org}");
    }
}

on_all_stores! { every_key_is_counted_once }

#[tokio::test]
async fn a_server_looks_no_faster_than_it_is_asked_to() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let fill = "for i = 1, 5000 do redis.call('SET', 'number:' .. i, '') end";
    client.run::<()>(&["EVAL", fill, "0"]).await;
    let cache = patient().connect(&server.url()).unwrap();
    let mut steps = Vec::new();
    let begun = Instant::now();
    let survey = cache.survey("*").keys_per_second(10_000);
    let found = survey.run(|step| steps.push(step)).await.unwrap();
    // It may take longer on a busy machine, and never less.
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!((found.total.others, found.total.values), (5000, 0));
    assert!(steps.len() >= 9 && steps.is_sorted_by_key(|step| step.looked_at), "{steps:?}");
    assert!(steps.iter().all(|step| step.keys == Some(5000)));
    assert_eq!(steps.last().unwrap().looked_at, 5000);
}

#[tokio::test]
async fn a_server_says_how_it_is_doing() {
    let server = RedisServer::with(&["maxmemory 100mb", "maxmemory-policy allkeys-lru"]).await;
    let cache = patient().connect(&server.url()).unwrap();
    cache.scope(employee("acme", 1)).await;
    let servers = cache.servers().await.unwrap();
    let [status] = &servers[..] else { panic!("{servers:?}") };
    assert_eq!(status.address, format!("127.0.0.1:{}", server.port()));
    assert_eq!((status.max_memory_bytes, &*status.eviction), (100 << 20, "allkeys-lru"));
    assert!(status.memory_bytes > 0 && status.clients > 0 && !status.version.is_empty());
    assert_eq!(status.keys, 2, "an entry and its tag");
    assert_eq!(Cache::in_memory().servers().await.unwrap(), []);
}
