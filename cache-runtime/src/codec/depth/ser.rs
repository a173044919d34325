//! Writing: the same levels as reading.

use std::fmt::Display;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::codec::depth::{LEVELS, deeper};

/// A value that is written within [`LEVELS`], as far as nothing in it is refused.
pub(in crate::codec) struct Written<'a, T>(
    pub(in crate::codec) &'a T,
    pub(in crate::codec) Refused,
);

impl<T: Serialize> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(inner, refused) = *self;
        Depth { inner, left: LEVELS, refused }.serialize(serializer)
    }
}

/// What a writer refuses because it would be read back as something else.
#[derive(Clone, Copy)]
pub(in crate::codec) struct Refused {
    /// Floats that are not finite.
    floats: bool,
    /// What is written as the codec's `null` inside a `Some`.
    nulls: bool,
    /// The value is the content of a `Some`.
    in_some: bool,
}

impl Refused {
    /// Of a codec whose `null` stands for several values.
    pub(in crate::codec) const NULLS: Self = Self { floats: false, nulls: true, in_some: false };
    /// And for floats as well.
    pub(in crate::codec) const NULLS_AND_FLOATS: Self = Self { floats: true, ..Self::NULLS };
    /// Nothing.
    pub(in crate::codec) const NOTHING: Self = Self { floats: false, nulls: false, in_some: false };

    /// For an element, a field or the content of a variant.
    fn inside(self) -> Self {
        Self { in_some: false, ..self }
    }
}

/// A serde object, how many levels are left below it, and what it refuses.
struct Depth<T> {
    inner: T,
    left: u8,
    refused: Refused,
}

impl<T> Depth<T> {
    /// Wraps `inner`, which is inside this one, at the same depth.
    fn wrap<U>(&self, inner: U) -> Depth<U> {
        Depth { inner, left: self.left, refused: self.refused.inside() }
    }
}

impl<T: Serialize + ?Sized> Serialize for Depth<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let left = deeper(self.left, S::Error::custom)?;
        self.inner.serialize(Depth { inner: serializer, left, refused: self.refused })
    }
}

impl<S: Serializer> Depth<S> {
    /// A value that is written as `null`.
    fn check_null(&self) -> Result<(), S::Error> {
        if self.refused.nulls && self.refused.in_some {
            return Err(S::Error::custom("would be read as `None`"));
        }
        Ok(())
    }

    /// A float, which may be written as `null` if it is not finite.
    fn check_float(&self, is_finite: bool) -> Result<(), S::Error> {
        if self.refused.floats && !is_finite {
            return Err(S::Error::custom("not a finite number"));
        }
        Ok(())
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty);)*) => {
        $(
            fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
                self.inner.$method(value)
            }
        )*
    };
}

impl<S: Serializer> Serializer for Depth<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Depth<S::SerializeSeq>;
    type SerializeTuple = Depth<S::SerializeTuple>;
    type SerializeTupleStruct = Depth<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Depth<S::SerializeTupleVariant>;
    type SerializeMap = Depth<S::SerializeMap>;
    type SerializeStruct = Depth<S::SerializeStruct>;
    type SerializeStructVariant = Depth<S::SerializeStructVariant>;

    scalars! {
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
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.check_float(value.is_finite())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.check_float(value.is_finite())?;
        self.inner.serialize_f64(value)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.check_null()?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.check_null()?;
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let refused = Refused { in_some: true, ..self.refused };
        let value = Depth { inner: value, left: self.left, refused };
        self.inner.serialize_some(&value)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.check_null()?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // Codecs write the content alone.
        let value = Depth { inner: value, left: self.left, refused: self.refused };
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.wrap(value);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let refused = self.refused.inside();
        Ok(Depth { inner: self.inner.serialize_seq(len)?, left: self.left, refused })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let refused = self.refused.inside();
        Ok(Depth { inner: self.inner.serialize_tuple(len)?, left: self.left, refused })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let refused = self.refused.inside();
        Ok(Depth { inner: self.inner.serialize_tuple_struct(name, len)?, left: self.left, refused })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let left = deeper(self.left, S::Error::custom)?;
        let refused = self.refused.inside();
        let inner = self.inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Depth { inner, left, refused })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let refused = self.refused.inside();
        Ok(Depth { inner: self.inner.serialize_map(len)?, left: self.left, refused })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let refused = self.refused.inside();
        Ok(Depth { inner: self.inner.serialize_struct(name, len)?, left: self.left, refused })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let left = deeper(self.left, S::Error::custom)?;
        let refused = self.refused.inside();
        let inner = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Depth { inner, left, refused })
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! compound {
    ($($trait:ident: $($method:ident($($name:ident)?))+;)*) => {
        $(
            impl<S: $trait> $trait for Depth<S> {
                type Ok = S::Ok;
                type Error = S::Error;

                $(
                    fn $method<T: Serialize + ?Sized>(
                        &mut self,
                        $($name: &'static str,)?
                        value: &T,
                    ) -> Result<(), S::Error> {
                        let value = self.wrap(value);
                        self.inner.$method($($name,)? &value)
                    }
                )+

                fn end(self) -> Result<S::Ok, S::Error> {
                    self.inner.end()
                }
            }
        )*
    };
}
compound! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key() serialize_value();
    SerializeStruct: serialize_field(name);
    SerializeStructVariant: serialize_field(name);
}
