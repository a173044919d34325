//! What must hold for any bytes: one function for each target of `fuzz/`, which panics where it
//! does not.
//!
//! The unit tests run them too, over the corpus that is checked in and over what lies near to it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codec::Codec;
use crate::record::{self, Found, HEADER, KeyHash, LEASE, MAGIC, Origin, VALUE_HEADER};
use crate::store::redis::connection::wire::{Frames, ProtocolError};
use crate::store::redis::url::ServerUrl;

/// The key that the records of the corpus belong to.
const KEY: &str = "user:7";

/// Bytes found under a key: nothing panics, and only a value of this key is one.
pub fn record(data: &[u8]) {
    let key = KeyHash::of(KEY);
    read_record(data, key);

    // Whatever they are, they are nothing of another key's.
    match record::read(Bytes::copy_from_slice(data), KeyHash(!key.0)) {
        Found::Value(_) => assert_eq!(data[12..HEADER], (!key.0).to_be_bytes()),
        Found::Misplaced(_) => assert_ne!(data[12..HEADER], (!key.0).to_be_bytes()),
        _ => {}
    }

    // As if they had been stored by us, so that not every input has to guess magic and hash.
    if let Some(rest) = data.get(HEADER..) {
        let mut ours = data.to_vec();
        ours[..3].copy_from_slice(&[MAGIC[0], MAGIC[1], 1]);
        ours[12..HEADER].copy_from_slice(&key.0.to_be_bytes());
        read_record(&ours, key);
        record::set_origin(&mut ours, Origin([7; 8]));
        assert!(!record::is_of_another(&ours, Origin([7; 8])));
        assert_eq!(ours[HEADER..], *rest);
    }
}

fn read_record(data: &[u8], key: KeyHash) {
    let token = record::token(data);
    assert_eq!(token.is_some(), data.len() >= LEASE);
    let misplaced = record::is_misplaced(data, key);
    let _ = record::is_of_another(data, Origin::default());
    match record::read(Bytes::copy_from_slice(data), key) {
        Found::Value(value) => {
            assert!(!misplaced && data.len() >= VALUE_HEADER);
            assert!(data.starts_with(&[MAGIC[0], MAGIC[1], 1, b'V']));
            assert_eq!(data[12..HEADER], key.0.to_be_bytes());
            let payload = value.payload();
            assert!(data.ends_with(payload) && payload.len() <= data.len() - VALUE_HEADER);
            assert_eq!(Some(value.token()), token);
            assert_eq!((value.version().to_be_bytes(), value.codec()), {
                ([data[56], data[57], data[58], data[59]], data[60])
            });
        }
        Found::Misplaced(holder) => assert!(misplaced && Some(holder) == token),
        Found::Lease => assert!(data.len() == LEASE && data[3] == b'L'),
        Found::Fence => assert!(matches!(data[3], b'F' | b'T')),
        Found::Damaged | Found::OfAnotherPrimary => assert!(data.starts_with(&MAGIC) && !misplaced),
        Found::Foreign => assert!(data.len() < 4 || !data.starts_with(&MAGIC)),
    }
}

/// A payload: no codec panics, exhausts the stack or allocates what the bytes merely announce, and
/// what has been read can be written and read again.
pub fn codec(data: &[u8]) {
    for codec in [
        Codec::Json,
        #[cfg(feature = "msgpack")]
        Codec::MessagePack,
        #[cfg(feature = "postcard")]
        Codec::Postcard,
    ] {
        round_trip::<Record>(codec, data);
        round_trip::<Node>(codec, data);
        round_trip::<Choice>(codec, data);
        round_trip::<Vec<u8>>(codec, data);
        round_trip::<Option<(String, char, i128)>>(codec, data);
        // Serde buffers these, without the levels of `Some` and of newtypes: they may be too deep
        // to be written.
        let _ = codec.decode::<Tagged>(data);
        let _ = codec.decode::<Untagged>(data);
        let _ = codec.decode::<serde_json::Value>(data);
    }
}

/// By their bytes, because a type's own equality may be coarser.
fn round_trip<T: Serialize + DeserializeOwned>(codec: Codec, data: &[u8]) {
    if let Ok(value) = codec.decode::<T>(data) {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        assert_eq!(codec.encode(&value, &mut first), Ok(()), "{codec:?}");
        let again = codec.decode::<T>(&first).and_then(|again| codec.encode(&again, &mut second));
        assert_eq!((again, &first), (Ok(()), &second), "{codec:?}");
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    id: u64,
    name: String,
    tags: BTreeMap<String, Vec<Option<i32>>>,
    kind: Choice,
}

#[derive(Debug, Serialize, Deserialize)]
struct Node {
    next: Option<Box<Node>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Choice {
    Unit,
    New(Box<Choice>),
    Tuple(u8, Vec<Choice>),
    Fields { node: Node, unit: () },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    End,
    More { next: Box<Tagged> },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    End(u8),
    More(Vec<Untagged>),
}

/// What [`url`] hides in a URL: nothing that a message could say on its own.
const SECRET: &str = "Zq9Zq9Zq9";

/// What a server sends: nothing panics, and the same replies come of it wherever the pieces end.
pub fn reply(data: &[u8]) {
    let whole = replies(data, data.len().max(1));
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(replies(data, size), whole, "in pieces of {size}");
    }
}

/// The replies in bytes that arrive in pieces of so many, and whether what follows is none.
fn replies(data: &[u8], size: usize) -> (Vec<String>, bool) {
    let (mut frames, mut input, mut replies) = (Frames::default(), BytesMut::new(), Vec::new());
    for piece in data.chunks(size) {
        input.extend_from_slice(piece);
        loop {
            match frames.next(&mut input) {
                // As text: not every number is equal to itself.
                Ok(Some(reply)) => replies.push(format!("{reply:?}")),
                Ok(None) => break,
                Err(ProtocolError) => return (replies, true),
            }
        }
    }
    (replies, false)
}

/// A URL: parsing it does not panic, and no message has any part of it; `Debug` shows no
/// credentials. The first byte tells where the secret goes.
pub fn url(data: &[u8]) {
    let Some((&at, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    check_url(&text);

    let mut at = usize::from(at) % (text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (before, after) = text.split_at(at);
    check_url(&format!("{before}{SECRET}{after}"));
    check_url(&format!("redis://{SECRET}:{SECRET}{text}"));
    check_url(&format!("redis://{SECRET}:{SECRET}{text}@host"));
}

fn check_url(url: &str) {
    match ServerUrl::parse(url) {
        Ok(parsed) => {
            let shown = format!("{:?}", parsed.access);
            assert!(!shown.contains(SECRET), "{shown}");
        }
        Err(malformed) => {
            let shown = format!("{malformed} {malformed:?}");
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}
