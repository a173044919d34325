//! Items as bytes: the codec's byte, and what it has written, so that a queue can change its codec while it holds items.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, CodecError};

pub(super) fn encode<T: Serialize>(codec: Codec, item: &T) -> Result<Vec<u8>, CodecError> {
    let mut payload = vec![codec.id()];
    codec.encode(item, &mut payload)?;
    Ok(payload)
}

pub(crate) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, CodecError> {
    let (id, item) = payload.split_first().ok_or(CodecError)?;
    Codec::of(*id).ok_or(CodecError)?.decode(item)
}
