//! What tells that an item was encoded by another type.
//!
//! The bytes of a positional codec hold no names: those of `{ a, b }` decode as `{ b, a }`. So an
//! item carries a hash of what serde showed of its type when it was pushed: the names of its fields
//! and variants, in their order, and the kinds of its numbers and texts. A decoded item that shows
//! another shape has changed its type.

use serde::Serialize;

use crate::codec::Codec;
use crate::codec::fidelity::tree::Tree;

/// The shape of a value; `None` if serde does not show it.
pub(crate) fn shape<T: Serialize>(value: &T, codec: Codec) -> Option<u64> {
    let mut text = Vec::new();
    Tree::of_type(value, codec)?.write(&mut text);
    Some(xxhash_rust::xxh3::xxh3_64(&text))
}

impl Tree {
    /// Appends what makes the shape: a letter, and what is inside, up to a full stop.
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::None => out.push(b'n'),
            Self::Unit => out.push(b'u'),
            Self::Kind(kind) => name(b'k', kind, out),
            Self::Name(field) => name(b'k', field, out),
            Self::Some(content) => {
                out.push(b's');
                content.write(out);
            }
            Self::Variant(variant, content) => {
                name(b'v', variant, out);
                content.write(out);
            }
            Self::Items(items) => list(b'i', items, out),
            Self::Tuple(items) => list(b't', items, out),
            Self::Map(entries) => {
                out.push(b'm');
                for (key, value) in entries {
                    key.write(out);
                    value.write(out);
                }
                out.push(b'.');
            }
            Self::Fields(fields) => {
                out.push(b'f');
                for (field, value) in fields {
                    name(b'k', field, out);
                    value.write(out);
                }
                out.push(b'.');
            }
            // Values, of which there are none in a tree of kinds.
            Self::Bool(_)
            | Self::Integer(_)
            | Self::Wide(_)
            | Self::F32(_)
            | Self::F64(_)
            | Self::Char(_)
            | Self::Text(_)
            | Self::Bytes(_) => {}
        }
    }
}

fn name(letter: u8, name: &str, out: &mut Vec<u8>) {
    out.push(letter);
    out.extend(name.len().to_string().bytes());
    out.push(b':');
    out.extend(name.bytes());
}

fn list(letter: u8, items: &[Tree], out: &mut Vec<u8>) {
    out.push(letter);
    for item in items {
        item.write(out);
    }
    out.push(b'.');
}
