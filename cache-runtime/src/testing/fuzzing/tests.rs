//! The targets as tests: over the corpus, over each of its files cut short and with each bit
//! flipped, and over bytes at random.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use proptest::prelude::*;

use crate::codec::Codec;
use crate::record::{self, Found, KeyHash};

/// Longer files are taken as they are.
const SMALL: usize = 200;

fn corpus(target: &str, check: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files = 0;
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        // Shown if the test fails.
        println!("{}", path.display());
        let data = fs::read(path).unwrap();
        files += 1;
        check(&data);
        let small = data.len().min(SMALL);
        (0..small).for_each(|length| check(&data[..length]));
        let mut flipped = data;
        for bit in 0..small * 8 {
            flipped[bit / 8] ^= 1 << (bit % 8);
            check(&flipped);
            flipped[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert!(files >= 5, "{files} files");
}

#[test]
fn records() {
    corpus("record", crate::testing::fuzzing::record);
}

#[test]
fn codecs() {
    corpus("codec", crate::testing::fuzzing::codec);
}

#[test]
fn replies() {
    corpus("reply", crate::testing::fuzzing::reply);
}

#[test]
fn urls() {
    corpus("url", crate::testing::fuzzing::url);
}

/// A corpus without anything that is read to its end would test refusals only.
#[test]
#[cfg(all(feature = "msgpack", feature = "postcard"))]
fn the_valid_files_are_valid() {
    let value = include_bytes!("../../../fuzz/corpus/record/value");
    let key = KeyHash::of(crate::testing::fuzzing::KEY);
    assert!(matches!(record::read(Bytes::from_static(value), key), Found::Value(_)));

    let records: [(Codec, &[u8]); 3] = [
        (Codec::Json, include_bytes!("../../../fuzz/corpus/codec/json-record")),
        (Codec::MessagePack, include_bytes!("../../../fuzz/corpus/codec/msgpack-record")),
        (Codec::Postcard, include_bytes!("../../../fuzz/corpus/codec/postcard-record")),
    ];
    for (codec, payload) in records {
        assert!(codec.decode::<crate::testing::fuzzing::Record>(payload).is_ok(), "{codec:?}");
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..120)
}

/// What MessagePack and postcard have to say is in the small and in the large bytes.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop_oneof![0..8_u8, 0x80..0x9F_u8, 0xC0..=0xFF_u8];
    prop_oneof![bytes(), prop::collection::vec(telling, 0..120)]
}

fn json() -> impl Strategy<Value = String> {
    let pieces =
        ["{", "}", "[", "]", ",", ":", "\"next\":", "\"New\":", "null", "1", "\"Unit\"", "\"\\u"];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.concat())
}

fn url() -> impl Strategy<Value = String> {
    let pieces = [
        "redis",
        "rediss",
        "valkey",
        "+unix",
        "+cluster",
        "+sentinel",
        "://",
        ":",
        "/",
        "@",
        "?db=",
        "#",
        "%",
        "%4",
        "%40",
        "%ff",
        "[",
        "]",
        "::1",
        ",",
        "host",
        "70000",
        "0",
        "7",
        "ß",
        " ",
        "\0",
    ];
    let pieces = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12);
    (any::<u8>(), any::<bool>(), pieces).prop_map(|(at, plain, pieces)| {
        let at = char::from(at & 0x7F);
        format!("{at}{}{}", if plain { "redis://" } else { "" }, pieces.concat())
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_record(data in bytes()) {
        crate::testing::fuzzing::record(&data);
    }

    #[test]
    fn any_payload(data in payload()) {
        crate::testing::fuzzing::codec(&data);
    }

    #[test]
    fn any_json(data in json()) {
        crate::testing::fuzzing::codec(data.as_bytes());
    }

    #[test]
    fn any_url(data in url()) {
        crate::testing::fuzzing::url(data.as_bytes());
    }
}
