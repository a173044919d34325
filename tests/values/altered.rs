//! Values that serde changes: told, and never served.

use std::collections::{BTreeMap, HashMap, HashSet};

use cache_fixtures::stats;
use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Cache, cached};
use cache_testing::barrier::Counter;
use cache_testing::log;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fixture::Fixture;

/// As an ORM's generator writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    #[serde(skip_deserializing)]
    pub id: u64,
    pub name: String,
}

/// Without `PartialEq`.
#[derive(Debug, Serialize, Deserialize)]
struct Opaque {
    #[serde(skip_deserializing)]
    id: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    #[serde(skip_serializing, default)]
    pub password: Option<String>,
}

/// Without a default: it never decodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Lost {
    name: String,
    #[serde(skip_serializing)]
    password: String,
}

/// A time of which only whole seconds are written.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seconds(f64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_possible_truncation, reason = "that is what is tested")]
        serializer.serialize_i64(self.0 as i64)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        i64::deserialize(deserializer).map(|seconds| Self(seconds as f64))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Group {
    name: String,
    members: BTreeMap<String, Vec<Model>>,
    owner: Option<Box<Model>>,
}

/// A structure that serde writes as a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat<T> {
    name: String,
    #[serde(flatten)]
    rest: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    #[serde(skip_deserializing)]
    total: u8,
}

fn flat<T>(rest: T) -> Flat<T> {
    Flat { name: "Ada".to_owned(), rest }
}

fn ada(id: u64) -> Model {
    Model { id, name: "Ada".to_owned() }
}

/// Of which the last one is altered.
fn many(models: u64) -> Vec<Model> {
    (1..=models).map(|id| ada(id / models)).collect()
}

fn group() -> Group {
    let members = BTreeMap::from([("mathematics".to_owned(), vec![ada(0), ada(7)])]);
    Group { name: "Royal".to_owned(), members, owner: None }
}

/// Each with the value that it returns, and what is told of it.
macro_rules! altered {
    ($($name:ident $codec:ident: $type:ty = $value:expr, $told:expr;)*) => {
        $(
            #[cached(ttl = 3600, none_ttl = 60, codec = $codec, skip(runs))]
            async fn $name(runs: &Counter) -> Option<$type> {
                runs.count();
                Some($value)
            }
        )*

        async fn each_is_told_and_loaded_again(fixture: Fixture) {
            log::capture();
            $({
                let before = fixture.runs.get();
                for run in 1..=3 {
                    let value = fixture.cache.scope($name(&fixture.runs)).await;
                    assert_eq!(format!("{value:?}"), format!("{:?}", Some($value)));
                    assert_eq!(fixture.runs.get(), before + run, "{}", stringify!($name));
                }
                let stats = fixture.stats(stringify!($name));
                assert_eq!((stats.misuses, stats.fills_unencodable, stats.hits()), (3, 3, 0));
                assert_eq!((stats.fills_stored, stats.misses.undecodable), (0, 0));
                let name = concat!("::", stringify!($name), "`");
                let told = log::about(None).into_iter().filter(|line| line.contains(name));
                let told: Vec<_> = told.collect();
                assert_eq!(told.len(), 1, "{told:?}");
                assert!(told[0].contains($told), "{told:?}");
                assert!(!told[0].contains("Ada") && !told[0].contains("secret"), "{told:?}");
            })*
        }

        /// Where a test asks for that.
        async fn each_panics_in_a_test_that_asks_for_it(fixture: Fixture) {
            $({
                let (cache, runs) = (fixture.strict.clone(), fixture.runs.clone());
                let call = tokio::spawn(cache.scope(async move { $name(&runs).await.is_some() }));
                let panic = call.await.unwrap_err().into_panic();
                let message = panic.downcast_ref::<String>().unwrap();
                assert!(message.contains($told), "{message}");
                assert!(message.contains(stringify!($name)), "{message}");
                assert!(!message.contains("secret"), "{message}");
            })*
        }
    };
}

altered! {
    skip_deserializing Json: Model = ada(7), "`id` is another value";
    skip_deserializing_packed MessagePack: Model = ada(7), "`id` is another value";
    skip_deserializing_without_equality Json: Opaque = Opaque { id: 7 }, "`id` is another value";
    skip_serializing Json: Account = Account {
        name: "Ada".to_owned(),
        password: Some("secret".to_owned()),
    }, "the `PartialEq` of";
    nested Json: Group = group(), "`members[..][1].id` is another value";
    within_an_option Json: Group = Group { owner: Some(Box::new(ada(7))), ..group() },
        "`members[..][1].id` is another value";
    flattened Json: Flat<Part> = flat(Part { total: 7 }), "`total` is another value";
    flattened_map MessagePack: Flat<BTreeMap<String, Part>> =
        flat(BTreeMap::from([("secret".to_owned(), Part { total: 7 })])),
        "`[..].total` is another value";
    large Json: Vec<Model> = many(1_000), "`[999].id` is another value";
    large_and_never_shown Postcard: Vec<Seconds> = vec![Seconds(7.5); 20_000], "the `PartialEq` of";
    half_a_second Json: Seconds = Seconds(7.5), "the `PartialEq` of";
    half_a_second_in_a_field Postcard: (u8, Seconds) = (1, Seconds(7.5)), "the `PartialEq` of";
    never_decodes Json: Lost = Lost { name: "Ada".to_owned(), password: "secret".to_owned() },
        "cannot be read back";
    never_decodes_packed MessagePack: Lost = Lost {
        name: "Ada".to_owned(),
        password: "secret".to_owned(),
    }, "cannot be read back";
    some_of_none Json: Option<u8> = None::<u8>, "as a whole is another one";
    field_of_some_of_none Json: BTreeMap<String, Option<Option<u8>>> =
        BTreeMap::from([("a".to_owned(), Some(None::<u8>))]), "`[..]` is another value";
    some_of_unit Json: Vec<Option<()>> = vec![None, Some(())], "`[1]` is another value";
    some_of_null Json: Option<serde_json::Value> = Some(serde_json::Value::Null),
        "as a whole is another one";
    not_a_number Json: f64 = f64::NAN, "as a whole is another one";
    infinite_field Json: Vec<Option<f64>> = vec![Some(1.0), Some(f64::INFINITY)],
        "`[1]` is another value";
    infinite Json: (u8, f32) = (1, f32::NEG_INFINITY), "cannot be read back";
}

/// What is equal in every respect that counts, though its bytes differ.
macro_rules! unaltered {
    ($($name:ident $codec:ident: $type:ty = $value:expr;)*) => {
        $(
            #[cached(ttl = 3600, codec = $codec, skip(runs))]
            async fn $name(runs: &Counter) -> $type {
                runs.count();
                $value
            }
        )*

        async fn nothing_is_told_of_what_is_the_same(fixture: Fixture) {
            $({
                let (cache, runs) = (&fixture.strict, Counter::new());
                for _ in 0..2 {
                    let _: $type = cache.scope($name(&runs)).await;
                }
                let stats = stats(cache, stringify!($name));
                assert_eq!((runs.get(), stats.hits(), stats.misuses), (1, 1, 0), "{}", stats.function);
                cache.clear().await.unwrap();
            })*
        }
    };
}

/// The order differs each time, inside one another too.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unordered {
    sets: HashMap<u8, HashSet<String>>,
    pairs: Vec<HashMap<String, HashSet<u64>>>,
}

/// The same, of which serde alone can tell.
#[derive(Debug, Serialize, Deserialize)]
struct UnorderedOpaque(HashMap<String, HashSet<u64>>);

fn numbers() -> HashSet<u64> {
    (0..50).collect()
}

fn unordered() -> Unordered {
    let texts: HashSet<_> = numbers().iter().map(u64::to_string).collect();
    let sets = (0..50).map(|key| (key, texts.clone())).collect();
    let pairs = texts.iter().map(|text| (text.clone(), numbers())).collect();
    Unordered { sets, pairs: vec![pairs, HashMap::new()] }
}

/// A field that is left out where it says nothing, and one that is `null` where it is not a number,
/// on purpose.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OnPurpose {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<u8>,
    #[serde(deserialize_with = "number_or_nan")]
    nan: f64,
}

fn number_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::deserialize(deserializer).map(|number| number.unwrap_or(f64::NAN))
}

unaltered! {
    unordered_json Json: Unordered = unordered();
    unordered_packed MessagePack: Unordered = unordered();
    unordered_posted Postcard: Unordered = unordered();
    unordered_opaque Json: UnorderedOpaque =
        UnorderedOpaque((0..50).map(|key: u8| (key.to_string(), numbers())).collect());
    nan_packed MessagePack: (f64, Option<f32>) = (f64::NAN, Some(f32::INFINITY));
    nan_posted Postcard: Vec<f64> = vec![f64::NAN, -f64::NAN, f64::INFINITY, -0.0];
    some_of_none_posted Postcard: Vec<Option<Option<u8>>> = vec![None, Some(None), Some(Some(1))];
    on_purpose Json: OnPurpose = OnPurpose { left_out: None, nan: f64::NAN };
}

/// Errors that are remembered for all processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Missing {
    #[serde(skip_deserializing)]
    id: u64,
}

#[cached(
    key = "failing",
    ttl = 3600,
    skip(runs),
    error_ttl = |_: &Missing| Some(std::time::Duration::from_secs(60))
)]
async fn failing(runs: &Counter) -> Result<u8, Missing> {
    runs.count();
    Err(Missing { id: 7 })
}

async fn an_altered_error_is_not_remembered(fixture: Fixture) {
    for run in 1..=2 {
        assert_eq!(fixture.cache.scope(failing(&fixture.runs)).await, Err(Missing { id: 7 }));
        assert_eq!(fixture.runs.get(), run);
    }
    let stats = fixture.stats("failing");
    assert_eq!((stats.misuses, stats.hits()), (2, 0));
}

/// Values that are not stored are of no interest.
#[cached(key = "excluded", ttl = 3600, skip(runs), unless = |_| true)]
async fn excluded(runs: &Counter) -> Model {
    runs.count();
    ada(7)
}

async fn nothing_is_told_of_what_is_not_stored(fixture: Fixture) {
    assert_eq!(fixture.strict.scope(excluded(&fixture.runs)).await, ada(7));
    let off = Cache::disabled();
    assert_eq!(off.scope(skip_deserializing(&fixture.runs)).await, Some(ada(7)));
    assert_eq!(stats(&off, "skip_deserializing").misuses, 0);
}

/// The user's word that what comes back will do.
#[cached(key = "lossy", ttl = 3600, skip(runs), lossy_values)]
async fn lossy(runs: &Counter) -> Vec<Model> {
    runs.count();
    vec![ada(7)]
}

async fn lossy_values_are_stored(fixture: Fixture) {
    assert_eq!(fixture.strict.scope(lossy(&fixture.runs)).await, [ada(7)]);
    assert_eq!(fixture.strict.scope(lossy(&fixture.runs)).await, [ada(0)]);
    assert_eq!(fixture.runs.get(), 1);
}

on_both_stores! {
    each_is_told_and_loaded_again
    each_panics_in_a_test_that_asks_for_it
    nothing_is_told_of_what_is_the_same
    an_altered_error_is_not_remembered
    nothing_is_told_of_what_is_not_stored
    lossy_values_are_stored
}
