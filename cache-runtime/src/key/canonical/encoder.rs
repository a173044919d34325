//! The form of a value that is hashed.
//!
//! Each value begins with a byte that tells its kind, and is followed by what has a length that the
//! kind or a length in front tells: so no value begins like another one ends, and a sequence of
//! values can be read in one way only. Structs and variants are written with their names, so that
//! two variants of an untagged enum are told apart as far as their types are. The entries of a map,
//! and the elements of a set, are sorted by what they are written as.
//!
//! Numbers of different types are different values, and so are `0.0` and `-0.0`. Every NaN is the
//! same.

use std::fmt::{self, Display};

use serde::ser::{Error, Serialize, Serializer};

use crate::key::canonical::layout::{Fields, Subject};
use crate::key::canonical::lists::{Elements, List, Unordered};
use crate::key::canonical::types;

/// How many values may be inside one another, as in values that are stored.
const LEVELS: u8 = 127;

/// Why a value cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Refusal {
    /// Its type's implementation of `Serialize` fails. The message is left out, because it may
    /// quote the value.
    Unserializable,
    TooDeep,
    /// This type has a field that is not serialized.
    Skipped(&'static str),
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be hashed")
    }
}

impl std::error::Error for Refusal {}

impl Error for Refusal {
    fn custom<T: Display>(_: T) -> Self {
        Self::Unserializable
    }
}

pub(super) type Done = Result<(), Refusal>;

/// Writes a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Done {
    inside(value, out, LEVELS)
}

/// Writes a value with so many levels left for it and those inside it.
pub(super) fn inside<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>, left: u8) -> Done {
    let left = left.checked_sub(1).ok_or(Refusal::TooDeep)?;
    value.serialize(Encoder { out, left, of: Subject::of(value) })
}

pub(super) fn text(text: &str, out: &mut Vec<u8>) {
    bytes(text.as_bytes(), out);
}

fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Writes one value.
struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    left: u8,
    of: Subject,
}

impl<'a> Encoder<'a> {
    /// A kind, and names that go with it.
    fn begin(&mut self, kind: u8, names: &[&str]) {
        self.out.push(kind);
        for name in names {
            text(name, self.out);
        }
    }

    fn variant(&mut self, kind: u8, name: &str, index: u32, variant: &str) {
        self.begin(kind, &[name, variant]);
        self.out.extend(index.to_le_bytes());
    }

    fn list(self) -> List<'a> {
        List::new(self.out, self.left, None)
    }

    fn fields(self, name: &str) -> List<'a> {
        List::new(self.out, self.left, Some(Fields::of(self.of, name)))
    }
}

macro_rules! numbers {
    ($($method:ident($type:ty) = $kind:literal;)*) => {$(
        fn $method(self, value: $type) -> Done {
            self.out.push($kind);
            self.out.extend(value.to_le_bytes());
            Ok(())
        }
    )*};
}

impl<'a> Serializer for Encoder<'a> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Unordered<'a>;
    type SerializeStruct = List<'a>;
    type SerializeStructVariant = List<'a>;

    numbers! {
        serialize_i8(i8) = b'1';
        serialize_i16(i16) = b'2';
        serialize_i32(i32) = b'3';
        serialize_i64(i64) = b'4';
        serialize_i128(i128) = b'5';
        serialize_u8(u8) = b'6';
        serialize_u16(u16) = b'7';
        serialize_u32(u32) = b'8';
        serialize_u64(u64) = b'9';
        serialize_u128(u128) = b'0';
    }

    fn serialize_bool(self, value: bool) -> Done {
        self.out.push(if value { b't' } else { b'f' });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Done {
        let value = if value.is_nan() { f32::NAN } else { value };
        self.out.push(b'e');
        self.out.extend(value.to_bits().to_le_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Done {
        let value = if value.is_nan() { f64::NAN } else { value };
        self.out.push(b'd');
        self.out.extend(value.to_bits().to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Done {
        self.out.push(b'c');
        self.out.extend(u32::from(value).to_le_bytes());
        Ok(())
    }

    fn serialize_str(mut self, value: &str) -> Done {
        self.begin(b's', &[value]);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.out.push(b'b');
        bytes(value, self.out);
        Ok(())
    }

    fn serialize_none(self) -> Done {
        self.out.push(b'n');
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.out.push(b'o');
        inside(value, self.out, self.left)
    }

    fn serialize_unit(self) -> Done {
        self.out.push(b'u');
        Ok(())
    }

    fn serialize_unit_struct(mut self, name: &'static str) -> Done {
        self.begin(b'U', &[name]);
        Ok(())
    }

    fn serialize_unit_variant(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Done {
        self.variant(b'V', name, index, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Done {
        self.begin(b'N', &[name]);
        inside(value, self.out, self.left)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.variant(b'W', name, index, variant);
        inside(value, self.out, self.left)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a>, Refusal> {
        if types::is_set(self.of.ty) {
            self.out.push(b'h');
            return Ok(Elements::Unordered(Unordered::new(self.out, self.left)));
        }
        self.out.push(b'q');
        Ok(Elements::Ordered(self.list()))
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, Refusal> {
        // An array is equal to a list.
        self.out.push(if types::is_array(self.of.ty) { b'q' } else { b'p' });
        Ok(self.list())
    }

    fn serialize_tuple_struct(mut self, name: &'static str, _: usize) -> Result<List<'a>, Refusal> {
        self.begin(b'P', &[name]);
        Ok(self.fields(name))
    }

    fn serialize_tuple_variant(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, Refusal> {
        self.variant(b'X', name, index, variant);
        Ok(self.list())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Unordered<'a>, Refusal> {
        self.out.push(b'm');
        Ok(Unordered::new(self.out, self.left))
    }

    fn serialize_struct(mut self, name: &'static str, _: usize) -> Result<List<'a>, Refusal> {
        self.begin(b'S', &[name]);
        Ok(self.fields(name))
    }

    fn serialize_struct_variant(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, Refusal> {
        self.variant(b'Y', name, index, variant);
        Ok(self.list())
    }
}
