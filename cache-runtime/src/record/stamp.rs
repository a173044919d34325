//! What a value record says of its tags.

use crate::record::KeyHash;
use crate::record::layout::VALUE_HEADER;
use crate::record::token::Token;

/// Length of what a value says of one of its tags.
pub(super) const STAMP: usize = 8 + Token::LEN;
/// Length of the field that says how long a name is, and of the one behind all names.
pub(super) const LENGTH: usize = 2;

/// What an entry says of one of its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Hash of the tag's key.
    pub(crate) tag: KeyHash,
    /// The token that stood in the tag's key before the entry was loaded.
    pub(crate) token: Token,
    /// What stood there before, if entries with it are stale and no worse.
    pub(crate) former: Option<FormerStamp>,
}

/// The stamp of a tag before the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormerStamp {
    pub(crate) token: Token,
    /// By the clock of the tag's server.
    pub(crate) until_ms: u64,
}

impl Stamp {
    pub(super) fn bytes(&self) -> [u8; STAMP] {
        let mut bytes = [0; STAMP];
        bytes[..8].copy_from_slice(&self.tag.0.to_be_bytes());
        bytes[8..].copy_from_slice(self.token.as_bytes());
        bytes
    }
}

/// The names of tags, each behind its length, and the length of all that at the end.
pub(super) fn names_field(names: &[String]) -> Vec<u8> {
    let mut field = Vec::new();
    for name in names {
        let length = u16::try_from(name.len()).unwrap_or_default();
        field.extend_from_slice(&length.to_be_bytes());
        field.extend_from_slice(name.as_bytes());
    }
    let length = u16::try_from(field.len()).unwrap_or_default();
    field.extend_from_slice(&length.to_be_bytes());
    field
}

/// How many bytes the names of one value take, with what is written beside them.
pub(crate) fn length_of_names(names: &[String]) -> usize {
    names.iter().map(|name| LENGTH + name.len()).sum::<usize>() + LENGTH
}

/// Puts other stamps in the place of those that a value record has, which are as many.
pub(crate) fn set_stamps(record: &mut [u8], stamps: &[Stamp]) {
    let places = record.get_mut(VALUE_HEADER..).unwrap_or_default().chunks_exact_mut(STAMP);
    for (place, stamp) in places.zip(stamps) {
        place.copy_from_slice(&stamp.bytes());
    }
}
