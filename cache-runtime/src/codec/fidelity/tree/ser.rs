//! How serde makes a [`Tree`] of a value.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use crate::codec::fidelity::tree::Tree;
use crate::codec::fidelity::tree::parts::{Entries, Fields, Items, Parts};

/// How many values may be inside one another: more than those of a value that has been encoded.
const LEVELS: u16 = 300;

/// The value cannot be shown. Holds no text: that may quote the value.
#[derive(Debug)]
pub(super) struct Hidden;

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be shown")
    }
}

impl std::error::Error for Hidden {}

impl ser::Error for Hidden {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Shows one value.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    is_human_readable: bool,
    /// Shows of numbers and texts what they are, and not which.
    pub(super) only_kinds: bool,
    /// How many levels are left below this one.
    left: u16,
}

impl Writer {
    pub(super) fn of_values(is_human_readable: bool) -> Self {
        Self { is_human_readable, only_kinds: false, left: LEVELS }
    }

    pub(super) fn of_kinds(is_human_readable: bool) -> Self {
        Self { only_kinds: true, ..Self::of_values(is_human_readable) }
    }

    fn leaf(self, kind: &'static str, value: impl FnOnce() -> Tree) -> Tree {
        if self.only_kinds { Tree::Kind(kind) } else { value() }
    }

    /// The tree of a value inside this one.
    pub(super) fn inside<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Hidden> {
        let left = self.left.checked_sub(1).ok_or(Hidden)?;
        value.serialize(Self { left, ..self })
    }
}

macro_rules! leaves {
    ($($method:ident($type:ty): $tree:expr;)*) => {
        $(
            fn $method(self, value: $type) -> Result<Tree, Hidden> {
                Ok(self.leaf(stringify!($type), || $tree(value)))
            }
        )*
    };
}

fn integer(value: impl Into<i128>) -> Tree {
    Tree::Integer(value.into())
}

impl Serializer for Writer {
    type Ok = Tree;
    type Error = Hidden;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    leaves! {
        serialize_bool(bool): Tree::Bool;
        serialize_i8(i8): integer;
        serialize_i16(i16): integer;
        serialize_i32(i32): integer;
        serialize_i64(i64): integer;
        serialize_i128(i128): integer;
        serialize_u8(u8): integer;
        serialize_u16(u16): integer;
        serialize_u32(u32): integer;
        serialize_u64(u64): integer;
        serialize_u128(u128): |value| i128::try_from(value).map_or(Tree::Wide(value), integer);
        serialize_f32(f32): Tree::of_f32;
        serialize_f64(f64): Tree::of_f64;
        serialize_char(char): Tree::Char;
        serialize_str(&str): |value: &str| Tree::Text(value.to_owned());
        serialize_bytes(&[u8]): |value: &[u8]| Tree::Bytes(value.to_vec());
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Tree, Hidden> {
        Ok(Tree::Unit)
    }

    fn serialize_unit(self) -> Result<Tree, Hidden> {
        Ok(Tree::Unit)
    }

    fn serialize_none(self) -> Result<Tree, Hidden> {
        Ok(Tree::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Hidden> {
        Ok(Tree::Some(Box::new(self.inside(value)?)))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Tree, Hidden> {
        Ok(Tree::Variant(variant, Box::new(Tree::Unit)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Tree, Hidden> {
        self.inside(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, Hidden> {
        Ok(Tree::Variant(variant, Box::new(self.inside(value)?)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items, Hidden> {
        Ok(Parts::new(self, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Items, Hidden> {
        Ok(Parts::new(self, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items, Hidden> {
        Ok(Parts::new(self, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items, Hidden> {
        Ok(Parts::new(self, Some(variant)))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Entries, Hidden> {
        Ok(Entries::new(self, len.is_none()))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields, Hidden> {
        Ok(Parts::new(self, None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields, Hidden> {
        Ok(Parts::new(self, Some(variant)))
    }

    fn is_human_readable(&self) -> bool {
        self.is_human_readable
    }
}
