//! Every codec gives back every value bit by bit, or does not take it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::codec::Codec;
use crate::codec::tests::{CODECS, encoded};

#[expect(clippy::option_option, reason = "users have them")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    double: f64,
    single: f32,
    doubles: Vec<Option<f64>>,
    wide: (u128, i128),
    integers: (u8, i8, u16, i16, u32, i32, u64, i64),
    texts: (char, String),
    bytes: Bytes,
    nested: Option<Option<Option<bool>>>,
    units: (Option<()>, ()),
    by_integer: BTreeMap<i64, f64>,
    by_wide: BTreeMap<u128, char>,
    by_char: BTreeMap<char, BTreeSet<u8>>,
    by_bool: BTreeMap<bool, f32>,
    choice: Choice,
}

#[expect(clippy::option_option, reason = "users have them")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    New(f32),
    Pair(f64, Option<String>),
    Fields { one: Option<Option<i8>>, two: f64 },
}

/// Bytes as serde knows them, not as a list of numbers.
#[derive(Clone, Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }

        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// The bits that `PartialEq` does not tell apart.
fn bits(value: &Everything) -> (Vec<u64>, Vec<u32>) {
    let Everything { double, single, doubles, by_integer, by_bool, choice, .. } = value;
    let (mut long, mut short) = (vec![double.to_bits()], vec![single.to_bits()]);
    long.extend(doubles.iter().flatten().chain(by_integer.values()).map(|it| it.to_bits()));
    short.extend(by_bool.values().map(|it| it.to_bits()));
    match choice {
        Choice::Unit => {}
        Choice::New(it) => short.push(it.to_bits()),
        Choice::Pair(it, _) | Choice::Fields { two: it, .. } => long.push(it.to_bits()),
    }
    (long, short)
}

/// Any bits; now and then what is rare among them.
fn double() -> impl Strategy<Value = f64> {
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE, 5e-324];
    prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits),
        4 => any::<i32>().prop_map(|price| f64::from(price) * 0.01 * 1.19),
        1 => proptest::sample::select(special.to_vec()),
    ]
}

fn single() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits)
}

fn everything() -> impl Strategy<Value = Everything> {
    let floats = (double(), single(), vec(proptest::option::of(double()), 0..4));
    let numbers = (any::<(u128, i128)>(), any::<(u8, i8, u16, i16, u32, i32, u64, i64)>());
    let texts = (any::<(char, String)>(), any::<Vec<u8>>().prop_map(Bytes));
    let nested = any::<(Option<Option<Option<bool>>>, (Option<()>, ()))>();
    let maps = (
        btree_map(any::<i64>(), double(), 0..4),
        any::<BTreeMap<u128, char>>(),
        btree_map(any::<char>(), btree_set(any::<u8>(), 0..4), 0..4),
        btree_map(any::<bool>(), single(), 0..3),
    );
    let choice = prop_oneof![
        Just(Choice::Unit),
        single().prop_map(Choice::New),
        (double(), any::<Option<String>>()).prop_map(|(one, two)| Choice::Pair(one, two)),
        (any::<Option<Option<i8>>>(), double()).prop_map(|(one, two)| Choice::Fields { one, two }),
    ];
    (floats, numbers, texts, nested, maps, choice).prop_map(
        |(floats, numbers, texts, nested, maps, choice)| Everything {
            double: floats.0,
            single: floats.1,
            doubles: floats.2,
            wide: numbers.0,
            integers: numbers.1,
            texts: texts.0,
            bytes: texts.1,
            nested: nested.0,
            units: nested.1,
            by_integer: maps.0,
            by_wide: maps.1,
            by_char: maps.2,
            by_bool: maps.3,
            choice,
        },
    )
}

/// Whether a codec has a word for all of it.
fn has_word(codec: Codec, value: &Everything) -> bool {
    let (long, short) = bits(value);
    let finite = long.iter().all(|it| f64::from_bits(*it).is_finite())
        && short.iter().all(|it| f32::from_bits(*it).is_finite());
    let some_of_none = matches!(value.nested, Some(None | Some(None)))
        || value.units.0.is_some()
        || matches!(value.choice, Choice::Fields { one: Some(None), .. });
    match codec {
        Codec::Json => finite && !some_of_none,
        Codec::MessagePack => !some_of_none,
        Codec::Postcard => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_codec_returns_every_value_bit_by_bit(value in everything()) {
        for codec in CODECS {
            let bytes = encoded(codec, &value);
            prop_assert_eq!(bytes.is_ok(), has_word(codec, &value), "{:?}", codec);
            let Ok(bytes) = bytes else { continue };
            let back: Everything = codec.decode(&bytes).unwrap();
            prop_assert_eq!(bits(&back), bits(&value), "{:?}", codec);
            // But for the floats.
            let shown = |value: &Everything| format!("{value:?}");
            prop_assert_eq!(shown(&back), shown(&value), "{:?}", codec);
        }
    }

    /// Floats by themselves, among them those that a parser without care gets wrong.
    #[test]
    fn every_float_is_returned_bit_by_bit(double in double(), single in single()) {
        for codec in CODECS {
            match encoded(codec, &double) {
                Ok(bytes) => {
                    let back: f64 = codec.decode(&bytes).unwrap();
                    prop_assert_eq!(back.to_bits(), double.to_bits(), "{:?}", codec);
                }
                Err(_) => prop_assert!(codec == Codec::Json && !double.is_finite()),
            }
            match encoded(codec, &single) {
                Ok(bytes) => {
                    let back: f32 = codec.decode(&bytes).unwrap();
                    prop_assert_eq!(back.to_bits(), single.to_bits(), "{:?}", codec);
                }
                Err(_) => prop_assert!(codec == Codec::Json && !single.is_finite()),
            }
        }
    }
}

#[derive(Debug, Serialize)]
struct Unit;

#[derive(Debug, Serialize)]
struct New<T>(T);

/// Also behind newtypes, which JSON does not show.
#[test]
fn what_would_be_read_as_none_is_refused() {
    fn refused<T: Serialize>(value: T) -> bool {
        let [json, packed] = [Codec::Json, Codec::MessagePack].map(|it| encoded(it, &value));
        assert_eq!(json.is_err(), packed.is_err());
        json.is_err()
    }
    assert!(refused(Some(None::<u8>)));
    assert!(refused(Some(Some(None::<u8>))));
    assert!(refused(Some(())));
    assert!(refused(Some(Unit)));
    assert!(refused(Some(New(None::<u8>))));
    assert!(refused(vec![New(Some(New(New(()))))]));
    assert!(encoded(Codec::Json, &Some(f64::NAN)).is_err());
    assert!(refused(Some(serde_json::Value::Null)));
    assert!(!refused(None::<Option<u8>>));
    assert!(!refused(Some(Some(1))));
    assert!(!refused(Some(vec![None::<u8>])));
    assert!(!refused(Some((None::<u8>, (), Unit))));
    assert!(!refused(Some(BTreeMap::from([(1, None::<u8>)]))));
    assert!(!refused((Unit, (), None::<u8>, New(Unit))));
}
