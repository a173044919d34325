//! Types of every kind that come back as they were, of which nothing is told, and the kinds of
//! functions that return them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cache_fixtures::stats;
use cache_fixtures::stores::on_both_stores;
use cache_runtime::cached;
use cache_testing::barrier::Counter;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fixture::Fixture;

/// Each of these is found by the second call.
macro_rules! come_back {
    ($($name:ident $codec:ident: $type:ty = $value:expr;)*) => {
        $(
            #[cached(ttl = 3600, codec = $codec, skip(runs))]
            async fn $name(runs: &Counter) -> $type {
                runs.count();
                $value
            }
        )*

        async fn each_comes_back(fixture: Fixture) {
            $({
                let (cache, runs) = (&fixture.strict, Counter::new());
                let loaded: $type = cache.scope($name(&runs)).await;
                let found: $type = cache.scope($name(&runs)).await;
                assert_eq!(format!("{loaded:?}"), format!("{found:?}"));
                let stats = stats(cache, stringify!($name));
                assert_eq!((runs.get(), stats.hits(), stats.misuses), (1, 1, 0), "{}", stats.function);
                cache.clear().await.unwrap();
            })*
        }
    };
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u64,
    #[serde(flatten)]
    base: Base,
    #[serde(flatten)]
    more: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Base {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    OnlyOne,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Nothing,
    Number(i64),
    Float(f64),
    Text(String),
    Pair(u8, u8),
    Named { name: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value")]
enum Adjacent {
    Unit,
    Text(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Internal {
    Unit,
    Named { name: Option<String> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Nothing<T>(PhantomData<T>, (), [u8; 0]);

/// Not even equal to itself.
#[derive(Debug, Serialize, Deserialize)]
struct Odd(u8);

impl PartialEq for Odd {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

/// Equal to what has the same id.
#[derive(Debug, Serialize, Deserialize)]
struct ById {
    id: u64,
    score: f32,
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// An equality that panics tells nothing.
#[derive(Debug, Serialize, Deserialize)]
struct Brittle(u8);

impl PartialEq for Brittle {
    fn eq(&self, _: &Self) -> bool {
        panic!("equality panics, as part of a test");
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Through {
    #[serde(with = "as_text")]
    number: u64,
    #[serde(alias = "old")]
    #[serde(default)]
    list: Box<[Cow<'static, str>]>,
    time: SystemTime,
    span: Duration,
}

mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "so serde calls it")]
    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn flat() -> Flat {
    let more = BTreeMap::from([("a".to_owned(), 1.5.into()), ("b".to_owned(), "c".into())]);
    Flat { id: 1, base: Base { name: "Ada".to_owned(), kind: Kind::OnlyOne }, more }
}

fn untagged() -> Vec<Untagged> {
    vec![
        Untagged::Nothing,
        Untagged::Number(-1),
        Untagged::Float(1.5),
        Untagged::Text("a".to_owned()),
        Untagged::Pair(1, 2),
        Untagged::Named { name: "Ada".to_owned() },
    ]
}

fn internal() -> [Internal; 3] {
    [Internal::Unit, Internal::Named { name: None }, Internal::Named { name: Some(String::new()) }]
}

fn through() -> Through {
    Through {
        number: u64::MAX,
        list: ["a".into(), "b".into()].into(),
        time: SystemTime::UNIX_EPOCH + Duration::new(1, 999_999_999),
        span: Duration::new(3, 1),
    }
}

/// Larger than what is compared piece by piece at once, and in another order each time.
fn large() -> HashMap<String, HashSet<u32>> {
    (0..200_u32).map(|key| (key.to_string(), (0..200).collect())).collect()
}

come_back! {
    flat_json Json: Flat = flat();
    flat_packed MessagePack: Flat = flat();
    untagged_json Json: Vec<Untagged> = untagged();
    untagged_packed MessagePack: Vec<Untagged> = untagged();
    adjacent Json: Vec<Adjacent> = vec![Adjacent::Unit, Adjacent::Text(String::new())];
    internal_json Json: [Internal; 3] = internal();
    internal_packed MessagePack: [Internal; 3] = internal();
    unit_packed MessagePack: ((), Unit) = ((), Unit);
    zero_sized Json: (Unit, Nothing<u8>) = (Unit, Nothing(PhantomData, (), []));
    zero_sized_posted Postcard: (Unit, Nothing<u8>) = (Unit, Nothing(PhantomData, (), []));
    odd Json: Odd = Odd(1);
    by_id Json: ById = ById { id: 1, score: 0.1 };
    brittle Json: Brittle = Brittle(1);
    floats Json: Vec<f32> = vec![0.1, f32::MIN_POSITIVE, f32::MAX, -0.0, 1e-45];
    through_json Json: Through = through();
    through_packed MessagePack: Through = through();
    through_posted Postcard: Through = through();
    shared Json: Arc<[Arc<str>]> = [Arc::from("a"), Arc::from("b")].into();
    text Json: Cow<'static, str> = "a\u{0}\u{10ffff}\"\\".into();
    wide Json: (u128, i128, char, u64) = (u128::MAX, i128::MIN, '\u{0}', u64::MAX);
    wide_packed MessagePack: (u128, i128, char, u64) = (u128::MAX, i128::MIN, '\u{0}', u64::MAX);
    keys Json: BTreeMap<i64, BTreeMap<char, bool>> =
        BTreeMap::from([(-1, BTreeMap::from([('a', true)])), (2, BTreeMap::new())]);
    values Json: serde_json::Value = serde_json::json!({"b": [1, null, 1.5, {"a": {}}], "a": u64::MAX});
    results Json: Vec<Result<u8, String>> = vec![Ok(1), Err("e".to_owned())];
}

async fn what_is_large_comes_back(fixture: Fixture) {
    let (cache, runs) = (&fixture.strict, Counter::new());
    for _ in 0..2 {
        assert!(cache.scope(get_large(&runs)).await == large());
    }
    assert_eq!(runs.get(), 1);
}

#[cached(key = "large", ttl = 3600, skip(runs))]
async fn get_large(runs: &Counter) -> HashMap<String, HashSet<u32>> {
    runs.count();
    large()
}

/// Of a type parameter nothing is known but this.
#[cached(key = "generic:<T>", ttl = 3600, skip(runs))]
async fn generic<T: Default + Serialize + DeserializeOwned>(runs: &Counter) -> Vec<T> {
    runs.count();
    vec![T::default()]
}

struct Repository<Entity> {
    id: u64,
    make: fn() -> Entity,
}

impl<Entity: PartialEq + Serialize + DeserializeOwned> Repository<Entity> {
    #[cached(key = "repository:<self.id>", ttl = 3600)]
    async fn find(&self) -> Vec<Entity> {
        vec![(self.make)()]
    }
}

async fn functions_of_every_kind(fixture: Fixture) {
    let (cache, runs) = (&fixture.strict, &fixture.runs);
    let repository = Repository { id: 1, make: flat };
    for _ in 0..2 {
        assert_eq!(cache.scope(generic::<u8>(runs)).await, [0]);
        assert_eq!(cache.scope(repository.find()).await, [flat()]);
    }
    assert_eq!(runs.get(), 1);
}

on_both_stores! {
    each_comes_back
    what_is_large_comes_back
    functions_of_every_kind
}
