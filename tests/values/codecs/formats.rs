//! What the three codecs write.

use std::collections::BTreeMap;

use cache_fixtures::stats;
use cache_runtime::{Cache, Codec, cached};
use cache_testing::barrier::Counter;
use serde::{Deserialize, Serialize};

use crate::codecs::fixture::{Fixture, ada, packed, posted, user_key};

#[tokio::test]
async fn json_is_legible() {
    let fixture = Fixture::start().await;
    fixture.user(1).await;
    assert_eq!(fixture.payload("user:1").await, br#"{"id":1,"name":"Ada"}"#);
    let record = fixture.stored("user:1").await;
    assert_eq!(record[..4], [0xC1, 0xCA, 1, b'V']);
    assert_eq!(record[60], b'J');
}

#[tokio::test]
async fn message_pack_names_its_fields() {
    let fixture = Fixture::start().await;
    fixture.cache.scope(packed(&fixture.runs, 1)).await;
    let payload = fixture.payload("user:1").await;
    assert_eq!(payload, b"\x82\xa2id\x01\xa4name\xa3Ada");
    assert_eq!(fixture.stored("user:1").await[60], b'M');
    assert_eq!(fixture.cache.scope(packed(&fixture.runs, 1)).await, ada(1));
    assert_eq!(fixture.runs.get(), 1);
}

#[tokio::test]
async fn postcard_is_positional() {
    let fixture = Fixture::start().await;
    fixture.cache.scope(posted(&fixture.runs, 1)).await;
    assert_eq!(fixture.payload("user:1").await, b"\x01\x03Ada");
    assert_eq!(fixture.stored("user:1").await[60], b'P');
    assert_eq!(fixture.cache.scope(posted(&fixture.runs, 1)).await, ada(1));
    assert_eq!(fixture.runs.get(), 1);
}

/// The cache's codec is that of the functions that name none.
#[tokio::test]
async fn the_builder_sets_the_codec_of_those_who_name_none() {
    let fixture = Fixture::start().await;
    let cache = fixture.connect(cache_fixtures::patient().codec(Codec::MessagePack));
    cache.scope(crate::codecs::fixture::user(&fixture.runs, 1)).await;
    assert_eq!(fixture.stored("user:1").await[60], b'M');
    assert_eq!(cache.get(&user_key(&1)).await.unwrap(), Some(ada(1)));
    cache.scope(posted(&fixture.runs, 2)).await;
    assert_eq!(fixture.stored("user:2").await[60], b'P');
    assert_eq!(fixture.runs.get(), 2);
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Everything {
    text: String,
    bytes: Vec<u8>,
    signed: i64,
    wide: u64,
    float: f64,
    option: Option<Box<Everything>>,
    map: BTreeMap<String, Vec<u32>>,
    choice: Choice,
    unit: (),
    tuple: (u8, char),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Choice {
    #[default]
    Unit,
    New(u8),
    Pair(u8, String),
    Fields {
        a: bool,
    },
}

fn everything(n: u64) -> Everything {
    let choice = [
        Choice::Unit,
        Choice::New(7),
        Choice::Pair(7, "\u{0}\u{1F980}\"\\".to_owned()),
        Choice::Fields { a: true },
    ];
    Everything {
        text: "\u{0}\n\"ü\u{1F980}".to_owned(),
        bytes: (0..=255).collect(),
        signed: i64::MIN,
        wide: u64::MAX,
        float: 0.1 + 0.2,
        option: Some(Box::default()),
        map: BTreeMap::from([(String::new(), vec![1]), ("ü:*".to_owned(), vec![])]),
        choice: choice[usize::try_from(n % 4).unwrap()].clone(),
        unit: (),
        tuple: (255, 'ß'),
    }
}

macro_rules! functions {
    ($($name:ident $codec:ident)*) => {
        $(
            #[cached(key = "everything:<n>", ttl = 3600, codec = $codec, skip(runs))]
            async fn $name(runs: &Counter, n: u64) -> Everything {
                runs.count();
                everything(n)
            }
        )*

        /// What was stored is what was returned, whatever serde can say.
        #[tokio::test]
        async fn values_come_back_as_they_were() {
            for n in 0..4 {
                $({
                    let (cache, runs) = (Cache::in_memory(), Counter::new());
                    for _ in 0..2 {
                        assert_eq!(cache.scope($name(&runs, n)).await, everything(n));
                    }
                    assert_eq!(runs.get(), 1);
                    assert_eq!(stats(&cache, stringify!($name)).hits(), 1);
                })*
            }
        }
    };
}
functions! { by_json Json by_message_pack MessagePack by_postcard Postcard }
