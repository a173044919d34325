//! What is said of an entry in each state that its key can be in.

use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore, Store, on_all_stores};
use cache_runtime::inspect::{Explanation, KeyContent, Obstacle, StoredValue, TagState};
use cache_runtime::{Cache, Failover, Key, Tag, cached, invalidates, tag};
use cache_testing::barrier::{Gate, eventually};
use cache_testing::redis::{Data, RedisServer};
use serde_json::Value as Json;

const HOUR: Duration = Duration::from_secs(3600);
/// What no explanation shows.
const SECRET: &str = "a card number";

#[cached(key = "member:<org>:<id>", ttl = "1h", tags = ["org:<org>"])]
async fn member(org: &str, id: u64) -> String {
    _ = (org, id);
    SECRET.to_owned()
}

#[cached(key = "report:<id>", ttl = "1h", stale_if_error = "2h", tags = ["reports"])]
async fn report(id: u64) -> Result<String, std::fmt::Error> {
    _ = id;
    Ok(SECRET.to_owned())
}

#[cached(
    key = "article:<slug>",
    ttl = "1h",
    tags = |author: &u64| [tag!("author:<author>")],
)]
async fn article(slug: &str) -> u64 {
    _ = slug;
    7
}

#[cached(key = "slow:<id>", ttl = "1h", skip(gate))]
async fn slow(gate: &Gate, id: u64) -> u64 {
    gate.pass().await;
    id
}

#[cached(key = "price:<sku>", ttl = "1h", version = 1)]
async fn price(sku: &str) -> u64 {
    _ = sku;
    1
}

/// The same entry in a later release.
#[cached(key = "price:<sku>", ttl = "1h", version = 2)]
async fn new_price(sku: &str) -> u64 {
    _ = sku;
    2
}

#[invalidates(member(org, id))]
async fn write(gate: &Gate, org: &str, id: u64) {
    gate.pass().await;
}

#[invalidates(tag = "org:<org>")]
async fn write_org(gate: &Gate, org: &str) {
    gate.pass().await;
}

#[invalidates(key = "member:<org>:<id>", hold_off = "1h")]
async fn write_and_hold_off(org: &str, id: u64) {}

struct Fixture {
    cache: Cache,
    /// Ends with the test.
    _store: Store,
}

impl OnStore for Fixture {
    const KEY: &str = "@shop:member:acme:7";

    fn on(store: Store) -> Self {
        Self { cache: store.connect(patient().namespace("shop")), _store: store }
    }
}

impl Fixture {
    async fn member(&self) -> Explanation {
        explained(&self.cache, &member_key("acme", &7)).await
    }

    async fn fill(&self) {
        self.cache.scope(member("acme", 7)).await;
    }
}

/// What is said of an entry; in words and as JSON, nothing of its content is.
async fn explained<T>(cache: &Cache, key: &Key<T>) -> Explanation {
    let found = cache.explain(key).await.unwrap();
    let texts = [found.to_string(), serde_json::to_string(&found).unwrap()];
    assert!(texts.iter().all(|text| !text.contains(SECRET) && text.contains(key.as_str())));
    found
}

fn value(found: &Explanation) -> &StoredValue {
    match &found.content {
        KeyContent::Value(value) => value,
        other => panic!("no value but {other:?}"),
    }
}

/// A time that began as `whole`, give or take what is rounded, and has run for no longer than a
/// test.
fn is_nearly(left: Duration, whole: Duration) -> bool {
    left <= whole + Duration::from_secs(1) && left + Duration::from_secs(600) > whole
}

fn tags(found: &Explanation) -> Vec<(Option<&str>, TagState)> {
    found.tags.iter().map(|tag| (tag.tag.as_deref(), tag.state)).collect()
}

async fn nothing(fixture: Fixture) {
    let found = fixture.member().await;
    assert_eq!(found.content, KeyContent::Nothing);
    assert_eq!(found.obstacle, Some(Obstacle::Absent));
    assert_eq!((&*found.key, &*found.stored_as), ("member:acme:7", "@shop:member:acme:7"));
    assert_eq!(found.functions, [concat!(module_path!(), "::member")]);
    assert_eq!(
        found.to_string(),
        format!(
            "`member:acme:7` holds nothing. It is an entry of `{}`. A call runs its body and \
             stores the value.",
            found.functions[0]
        )
    );
}

async fn a_value(fixture: Fixture) {
    fixture.fill().await;
    let found = fixture.member().await;
    let stored = value(&found);
    assert_eq!(stored.bytes, SECRET.len() as u64 + 2, "with its quotation marks");
    assert_eq!((stored.codec, stored.version, stored.is_error), ("json", 0, false));
    assert!(is_nearly(stored.fresh, HOUR) && stored.stale.is_zero(), "{stored:?}");
    assert!(is_nearly(stored.left.unwrap(), HOUR) && stored.age < HOUR, "{stored:?}");
    assert_eq!(tags(&found), [(Some("org:acme"), TagState::Current)]);
    assert_eq!((found.obstacle, found.is_undelivered), (None, false));
    let text = found.to_string();
    for part in [
        "holds a value of 15 bytes (json, version 0), stored ",
        "Its tags: `org:acme` (not invalidated since).",
        "A call is served this value.",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let json: Json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["holds"], "value");
    assert_eq!((&json["bytes"], &json["obstacle"]), (&Json::from(15), &Json::Null));
    assert!(json["fresh_ms"].as_u64().is_some_and(|left| left > 3_000_000), "{json}");
}

async fn an_invalidated_tag(fixture: Fixture) {
    fixture.fill().await;
    fixture.cache.invalidate_tag(Tag::from_text("org:acme")).await.unwrap();
    // In Redis the stamp is gone, or another load has made a new one.
    for expected in [TagState::Lost, TagState::Invalidated] {
        let found = fixture.member().await;
        assert_eq!(tags(&found), [(Some("org:acme"), expected)]);
        assert_eq!(found.obstacle, Some(Obstacle::TagInvalidated));
        fixture.cache.scope(member("acme", 8)).await;
    }
}

async fn a_tag_that_is_being_written(fixture: Fixture) {
    fixture.fill().await;
    let gate = Gate::new();
    let cache = fixture.cache.clone();
    let writing = tokio::spawn({
        let gate = gate.clone();
        async move { cache.scope(write_org(&gate, "acme")).await }
    });
    gate.entered(1).await;
    let found = fixture.member().await;
    assert_eq!(tags(&found), [(Some("org:acme"), TagState::BeingWritten)]);
    assert_eq!(found.obstacle, Some(Obstacle::TagBeingWritten));
    gate.release(1);
    writing.await.unwrap();
}

async fn a_load(fixture: Fixture) {
    let gate = Gate::new();
    let loading = tokio::spawn({
        let (cache, gate) = (fixture.cache.clone(), gate.clone());
        async move { cache.scope(slow(&gate, 1)).await }
    });
    gate.entered(1).await;
    let found = explained(&fixture.cache, &slow_key(&1)).await;
    let KeyContent::Lease { left: Some(left) } = found.content else { panic!("{found:?}") };
    assert!(left > Duration::ZERO);
    assert_eq!(found.obstacle, Some(Obstacle::Loading));
    gate.release(1);
    loading.await.unwrap();
}

async fn writes(fixture: Fixture) {
    let gate = Gate::new();
    let mut writing = Vec::new();
    for writers in 1..=2 {
        let (cache, gate) = (fixture.cache.clone(), gate.clone());
        let held = gate.clone();
        writing.push(tokio::spawn(async move { cache.scope(write(&held, "acme", 7)).await }));
        gate.entered(writers).await;
        let found = fixture.member().await;
        assert!(
            matches!(found.content, KeyContent::Fence { writers: all, left: Some(_) } if all == writers),
            "{found:?}"
        );
        assert_eq!(found.obstacle, Some(Obstacle::BeingWritten));
    }
    gate.release(2);
    for write in writing {
        write.await.unwrap();
    }
    assert_eq!(fixture.member().await.content, KeyContent::Nothing);
}

async fn a_hold_off(fixture: Fixture) {
    fixture.cache.scope(write_and_hold_off("acme", 7)).await;
    let found = fixture.member().await;
    let KeyContent::Tombstone { left: Some(left) } = found.content else { panic!("{found:?}") };
    assert!(is_nearly(left, HOUR));
    assert_eq!(found.obstacle, Some(Obstacle::HeldOff));
}

async fn a_stale_value(fixture: Fixture) {
    fixture.cache.scope(report(1)).await.unwrap();
    let found = explained(&fixture.cache, &report_key(&1)).await;
    assert!(is_nearly(value(&found).stale, 2 * HOUR) && found.obstacle.is_none(), "{found:?}");

    fixture.cache.invalidate_keeping_stale(&report_key(&1)).await.unwrap();
    let found = explained(&fixture.cache, &report_key(&1)).await;
    assert!(value(&found).fresh.is_zero() && is_nearly(value(&found).stale, 2 * HOUR));
    assert_eq!(found.obstacle, Some(Obstacle::Stale));

    fixture.cache.invalidate(&report_key(&1)).await.unwrap();
    fixture.cache.scope(report(1)).await.unwrap();
    fixture.cache.invalidate_keeping_stale(&Tag::from("reports")).await.unwrap();
    let found = explained(&fixture.cache, &report_key(&1)).await;
    assert_eq!(tags(&found), [(Some("reports"), TagState::MadeStale)]);
    assert_eq!(found.obstacle, Some(Obstacle::Stale));
}

async fn a_tag_of_the_value(fixture: Fixture) {
    fixture.cache.scope(article("tea")).await;
    let by_text = Key::from_text("article:tea");
    for found in [
        explained(&fixture.cache, &article_key("tea")).await,
        explained(&fixture.cache, &by_text).await,
    ] {
        assert_eq!(tags(&found), [(Some("author:7"), TagState::Current)]);
        assert_eq!(found.obstacle, None);
    }
    fixture.cache.invalidate_tag(Tag::from_text("author:7")).await.unwrap();
    let found = explained(&fixture.cache, &by_text).await;
    assert_eq!(found.obstacle, Some(Obstacle::TagInvalidated));
}

async fn another_release(fixture: Fixture) {
    fixture.cache.scope(price("tea")).await;
    let found = explained(&fixture.cache, &new_price_key("tea")).await;
    assert_eq!((value(&found).version, &found.beside), (1, &None));
    assert_eq!(found.obstacle, Some(Obstacle::OtherRelease));

    fixture.cache.scope(new_price("tea")).await;
    let found = explained(&fixture.cache, &new_price_key("tea")).await;
    let beside = found.beside.as_ref().unwrap();
    assert_eq!(beside.stored_as, "@shop:price:tea!J2!s");
    assert!(matches!(&beside.content, KeyContent::Value(value) if value.version == 2));
    assert_eq!(found.obstacle, None, "it is served what is beside");

    // With the value in the key, what is beside it goes.
    fixture.cache.invalidate(&price_key("tea")).await.unwrap();
    fixture.cache.scope(price("tea")).await;
    let found = explained(&fixture.cache, &new_price_key("tea")).await;
    assert_eq!(found.obstacle, Some(Obstacle::OtherRelease));
}

async fn a_key_by_its_text(fixture: Fixture) {
    fixture.fill().await;
    let key = Key::from_text("member:acme:7");
    let found = explained(&fixture.cache, &key).await;
    assert_eq!(found.functions, [concat!(module_path!(), "::member")], "by its template");
    assert_eq!(tags(&found), [(None, TagState::Unknown)]);
    assert_eq!(found.obstacle, None);

    let found = explained(&fixture.cache, &key.clone().tag(Tag::from_text("org:acme"))).await;
    assert_eq!(tags(&found), [(Some("org:acme"), TagState::Current)]);
    let found = explained(&fixture.cache, &key.clone().tag(Tag::from_text("org:other"))).await;
    let lacking = (Some("org:other"), TagState::Lacking);
    assert_eq!(tags(&found), [(None, TagState::Unknown), lacking]);
    assert_eq!(found.obstacle, Some(Obstacle::OtherTags));

    let found = explained(&fixture.cache, &Key::from_text("~tag:org:acme")).await;
    assert!(matches!(found.content, KeyContent::Stamp { left: Some(_), .. }), "{found:?}");
    assert_eq!(found.obstacle, Some(Obstacle::Tag));

    fixture.cache.invalidate(&key).await.unwrap();
    assert_eq!(fixture.member().await.content, KeyContent::Nothing);
}

on_all_stores! {
    nothing a_value an_invalidated_tag a_tag_that_is_being_written a_load writes a_hold_off
    a_stale_value a_tag_of_the_value another_release a_key_by_its_text
}

#[tokio::test]
async fn a_disabled_cache() {
    let found = explained(&Cache::disabled(), &member_key("acme", &7)).await;
    assert_eq!(found.obstacle, Some(Obstacle::Disabled));
}

#[tokio::test]
async fn a_value_that_is_too_large_here() {
    let store = Store::redis().await;
    store.cache().scope(member("acme", 7)).await;
    let small = store.connect(patient().max_value_bytes(10));
    let found = explained(&small, &member_key("acme", &7)).await;
    assert_eq!(found.obstacle, Some(Obstacle::Oversized));
}

/// What other clients leave in a key.
#[tokio::test]
async fn data_of_others() {
    let store = Store::redis().await;
    let (cache, client) = (store.cache(), store.client());
    let key = member_key("acme", &7);
    client.set("member:acme:7", SECRET).await;
    let found = explained(&cache, &key).await;
    let foreign = |data_type: &str, bytes| KeyContent::Foreign {
        data_type: data_type.to_owned(),
        bytes,
        left: None,
    };
    assert_eq!(found.content, foreign("string", Some(SECRET.len() as u64)));
    assert_eq!(found.obstacle, Some(Obstacle::Foreign));

    client.del("member:acme:7").await;
    client.run::<u64>(&["RPUSH", "member:acme:7", SECRET]).await;
    let found = explained(&cache, &key).await;
    let KeyContent::Foreign { data_type, bytes: Some(bytes), left: None } = &found.content else {
        panic!("{found:?}")
    };
    assert!(data_type == "list" && *bytes > SECRET.len() as u64);

    // Who may not ask for the memory does without.
    client.run::<()>(&["ACL", "SETUSER", "default", "-memory|usage"]).await;
    assert_eq!(explained(&cache, &key).await.content, foreign("list", None));

    client.del("member:acme:7").await;
    client.set("member:acme:7", b"\xC1\xCA\x01Vtorn").await;
    let found = explained(&cache, &key).await;
    assert_eq!(found.content, KeyContent::Damaged { bytes: 8 });
    assert_eq!(found.obstacle, Some(Obstacle::Damaged));

    client.del("member:acme:7").await;
    cache.scope(member("acme", 7)).await;
    client.run::<bool>(&["COPY", "member:acme:7", "member:acme:8"]).await;
    let found = explained(&cache, &member_key("acme", &8)).await;
    assert!(matches!(found.content, KeyContent::Misplaced { bytes } if bytes > 64), "{found:?}");
    client.run::<bool>(&["PERSIST", "member:acme:7"]).await;
    assert_eq!(value(&explained(&cache, &key).await).left, None);
}

/// A server that takes no invalidations: what is in the key is outdated, and only we know.
#[tokio::test]
async fn an_undelivered_invalidation() {
    let store = Store::redis().await;
    let (cache, client) = (store.cache(), store.client());
    cache.scope(member("acme", 7)).await;
    client.run::<()>(&["ACL", "SETUSER", "default", "-eval", "-evalsha", "-unlink"]).await;
    cache.invalidate(&member_key("acme", &7)).await.unwrap_err();
    let found = explained(&cache, &member_key("acme", &7)).await;
    assert!(found.is_undelivered, "{found:?}");
    assert_eq!(found.obstacle, Some(Obstacle::Undelivered));
    let elsewhere = explained(&store.cache(), &member_key("acme", &7)).await;
    assert_eq!((elsewhere.is_undelivered, elsewhere.obstacle), (false, None));
    client.run::<()>(&["ACL", "SETUSER", "default", "+@all"]).await;
    cache.flush(HOUR).await.unwrap();
    assert_eq!(explained(&cache, &member_key("acme", &7)).await.content, KeyContent::Nothing);
}

#[tokio::test]
async fn a_value_of_another_primary() {
    let server = RedisServer::builder().durable().start().await;
    let cache = patient().failover(Failover::Distrust).connect(&server.url()).unwrap();
    cache.scope(member("acme", 7)).await;
    server.restart(Data::Kept).await;
    eventually!(cache.explain(&member_key("acme", &7)).await.is_ok());
    let found = explained(&cache, &member_key("acme", &7)).await;
    assert_eq!(found.obstacle, Some(Obstacle::OtherPrimary), "{found:?}");
}

#[tokio::test]
async fn a_server_that_is_down_is_an_error() {
    let server = RedisServer::builder().down();
    let cache = Cache::connect(&server.url()).unwrap();
    assert!(cache.explain(&member_key("acme", &7)).await.is_err());
}

/// One round trip for the entry and what is beside it, and one for its tags.
#[tokio::test]
async fn nothing_is_sent_but_these() {
    let store = Store::redis().await;
    let cache = store.cache();
    cache.scope(member("acme", 7)).await;
    let server = store.server().single();
    server.reset_commandstats().await;
    explained(&cache, &member_key("acme", &7)).await;
    let sent: Vec<_> = server.commandstats().await.into_iter().collect();
    let expected = [
        ("getrange", 3),
        ("memory|usage", 3),
        ("pttl", 3),
        ("strlen", 3),
        ("time", 1),
        ("type", 3),
    ];
    assert_eq!(sent, expected.map(|(name, count)| (name.to_owned(), count)));
    assert_eq!(cache.stats().function("member").unwrap().hits(), 0, "it counts nothing");
}
