mod exact;

use std::collections::BTreeMap;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::codec::depth::LEVELS;
use crate::codec::*;

const CODECS: [Codec; 3] = [Codec::Json, Codec::MessagePack, Codec::Postcard];

/// A list; two levels a node.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Node {
    next: Option<Box<Node>>,
}

/// Nothing but levels: neither brackets nor, in two of the codecs, bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(Option<Box<Wrapped>>);

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    End,
    New(Box<Choice>),
    Tuple(Box<Choice>, u8),
    Fields { next: Box<Choice> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Map(BTreeMap<String, Map>);

/// Buffered by serde before it is read.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    End,
    More { next: Box<Tagged> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    End(u8),
    More(Vec<Untagged>),
}

fn nested<T>(depth: usize, end: T, around: impl Fn(T) -> T) -> T {
    (0..depth).fold(end, |value, _| around(value))
}

/// Runs on a thread with the stack of one of Tokio's.
fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap();
    thread.join().unwrap();
}

fn encoded<T: Serialize>(codec: Codec, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    codec.encode(value, &mut bytes).map(|()| bytes)
}

fn is_refused<T: DeserializeOwned>(codec: Codec, payload: &[u8]) {
    assert!(
        codec.decode::<T>(payload).is_err(),
        "{codec:?}: {:?}",
        &payload[..payload.len().min(32)]
    );
}

const BOMB: usize = 1 << 20;

#[test]
fn bombs_for_json() {
    on_small_stack(|| {
        is_refused::<Node>(Codec::Json, br#"{"next":"#.repeat(BOMB).as_slice());
        is_refused::<Tree>(Codec::Json, "[".repeat(BOMB).as_bytes());
        is_refused::<Map>(Codec::Json, br#"{"a":"#.repeat(BOMB).as_slice());
        is_refused::<Choice>(Codec::Json, br#"{"New":"#.repeat(BOMB).as_slice());
        is_refused::<Tagged>(Codec::Json, br#"{"kind":"More","next":"#.repeat(BOMB).as_slice());
        is_refused::<Untagged>(Codec::Json, "[".repeat(BOMB).as_bytes());
        is_refused::<serde_json::Value>(Codec::Json, "[".repeat(BOMB).as_bytes());
        is_refused::<Wrapped>(Codec::Json, b"1");
    });
}

#[test]
fn bombs_for_message_pack() {
    on_small_stack(|| {
        let codec = Codec::MessagePack;
        is_refused::<Node>(codec, &b"\x81\xa4next".repeat(BOMB));
        is_refused::<Node>(codec, &vec![0x91; BOMB]);
        is_refused::<Tree>(codec, &vec![0x91; BOMB]);
        is_refused::<Map>(codec, &b"\x81\xa1a".repeat(BOMB));
        is_refused::<Choice>(codec, &b"\x81\xa3New".repeat(BOMB));
        is_refused::<Tagged>(codec, &b"\x82\xa4kind\xa4More\xa4next".repeat(BOMB));
        is_refused::<Untagged>(codec, &vec![0x91; BOMB]);
        is_refused::<serde_json::Value>(codec, &vec![0x91; BOMB]);
        is_refused::<Wrapped>(codec, b"\x01");
        // In a field that the type does not have.
        is_refused::<Node>(codec, &[&b"\x82\xa4more"[..], &vec![0x91; BOMB]].concat());
    });
}

#[test]
fn bombs_for_postcard() {
    on_small_stack(|| {
        let codec = Codec::Postcard;
        for byte in 1..=3 {
            is_refused::<Node>(codec, &vec![byte; BOMB]);
            is_refused::<Wrapped>(codec, &vec![byte; BOMB]);
            is_refused::<Tree>(codec, &vec![byte; BOMB]);
            is_refused::<Choice>(codec, &vec![byte; BOMB]);
        }
        is_refused::<Map>(codec, &b"\x01\x01a".repeat(BOMB));
    });
}

/// As deep as it goes, and one deeper: what is written can be read, and nothing else is written.
#[test]
fn what_cannot_be_read_is_not_written() {
    fn check<T>(levels: usize, make: fn(usize) -> T)
    where
        T: fmt::Debug + PartialEq + Serialize + DeserializeOwned,
    {
        for codec in CODECS {
            for depth in [0, 1, levels - 1, levels] {
                let value = make(depth);
                let bytes = encoded(codec, &value).unwrap();
                assert_eq!(codec.decode::<T>(&bytes), Ok(value), "{codec:?} {depth}");
            }
            for depth in [levels + 1, levels + 2, 2_000] {
                assert!(encoded(codec, &make(depth)).is_err(), "{codec:?} {depth}");
            }
        }
    }

    assert_eq!(LEVELS, 127);
    on_small_stack(|| {
        // The last of them holds a `None` one level below itself.
        check(62, |depth| {
            nested(depth, Node::default(), |node| Node { next: Some(Box::new(node)) })
        });
        // A list inside of its newtype, and an item inside of the list.
        check(62, |depth| nested(depth, Tree::default(), |tree| Tree(vec![tree])));
        check(126, |depth| nested(depth, Choice::End, |next| Choice::New(Box::new(next))));
        check(63, |depth| nested(depth, Choice::End, |next| Choice::Tuple(Box::new(next), 7)));
        check(63, |depth| {
            nested(depth, Choice::End, |next| Choice::Fields { next: Box::new(next) })
        });
        check(62, |depth| {
            let around = |map| Map(BTreeMap::from([("a".to_owned(), map)]));
            nested(depth, Map(BTreeMap::new()), around)
        });
    });
}

/// The adapters hide nothing of the codecs'.
#[test]
fn values_that_ask_for_their_format_are_written_as_before() {
    let address = std::net::Ipv4Addr::LOCALHOST;
    assert_eq!(encoded(Codec::Json, &address).unwrap(), br#""127.0.0.1""#);
    assert_eq!(encoded(Codec::Postcard, &address).unwrap(), [127, 0, 0, 1]);
    for codec in CODECS {
        assert_eq!(codec.decode(&encoded(codec, &address).unwrap()), Ok(address));
        let wide = (i64::MIN, 'ß', String::from("ß"), Some(7_u128));
        assert_eq!(codec.decode(&encoded(codec, &wide).unwrap()), Ok(wide));
    }
}
