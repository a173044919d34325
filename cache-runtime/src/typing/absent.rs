//! Whether a value is `None`, where no macro has seen its type.

use std::fmt::{self, Display};

use serde::ser::{self, Impossible, Serialize, Serializer};

/// Whether serde writes a value as `None`.
pub(super) fn is_none<T: Serialize>(value: &T) -> bool {
    value.serialize(Question).is_ok_and(|is_none| is_none)
}

/// Takes the first thing that a value says of itself for the answer, and has it write nothing more.
struct Question;

/// Ends the writing of a value of several parts, which is not `None`.
#[derive(Debug)]
struct Enough;

impl Display for Enough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not `None`")
    }
}

impl std::error::Error for Enough {}

impl ser::Error for Enough {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

macro_rules! not_none {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<bool, Enough> {
            Ok(false)
        }
    )*};
}

macro_rules! of_parts {
    ($($method:ident($($argument:ty),*) -> $parts:ident;)*) => {
        $(type $parts = Impossible<bool, Enough>;)*
        $(fn $method(self, $(_: $argument),*) -> Result<Self::$parts, Enough> {
            Err(Enough)
        })*
    };
}

impl Serializer for Question {
    type Ok = bool;
    type Error = Enough;

    fn serialize_none(self) -> Result<bool, Enough> {
        Ok(true)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<bool, Enough> {
        Ok(false)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<bool, Enough> {
        Ok(false)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<bool, Enough> {
        Ok(false)
    }

    not_none! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    of_parts! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_none_is_none() {
        assert!(is_none(&None::<u8>) && is_none(&Box::new(None::<u8>)));
        assert!(!is_none(&Some(())) && !is_none(&Some(None::<u8>)));
        assert!(!is_none(&()) && !is_none(&f64::NAN) && !is_none(&Vec::<u8>::new()));
        assert!(!is_none(&[None::<u8>]) && !is_none(&serde_json::Value::Null));
    }
}
