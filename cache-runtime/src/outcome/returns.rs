//! What reads and writes need to know about a return type.

use std::sync::Arc;

use super::{
    Answer, Fail, IsAbsent, Optional, Outcome, Refuse, SharedError, Sharing, Spells, Storable,
    Stores,
};
use crate::codec::{Codec, CodecError, Schema};
use crate::error::Error;
use crate::errors::Errors;

/// Everything a read must know of the type `R` that the function returns and the `V` that is stored.
///
/// Function pointers, so that the code that uses them is not compiled again for each pair of types.
pub struct Returns<R, V> {
    pub(crate) value: fn(&R) -> Option<&V>,
    pub(crate) is_absent: IsAbsent<V>,
    encode: fn(&V, Codec, &mut Vec<u8>) -> Result<(), CodecError>,
    decode: fn(&[u8], Codec) -> Result<R, CodecError>,
    pub(crate) sharing: Sharing<R>,
    /// Makes the result of a call that was turned away, where it may be.
    pub(crate) refuse: Option<fn(Error) -> R>,
    /// How errors are remembered, where they are. One pointer, as this is part of every call's future.
    pub(crate) errors: Option<fn() -> Errors<R>>,
}

/// What becomes of one id of a batch: its value, or the error of a failed load as far as that can be shared.
pub(crate) type OfOne<T> = Result<T, Option<SharedError>>;

impl<T: Storable> Returns<OfOne<T>, T> {
    /// For one id of a batch.
    pub(crate) fn of_one(is_absent: IsAbsent<T>) -> Self {
        Self {
            value: |result| result.as_ref().ok(),
            is_absent,
            encode: |value, codec, out| codec.encode(value, out),
            decode: |payload, codec| codec.decode(payload).map(Ok),
            sharing: Sharing {
                share: |result| result.as_ref().err().cloned().flatten(),
                unshare: |error| Some(Err(Some(Arc::clone(error)))),
            },
            refuse: None,
            errors: None,
        }
    }
}

impl<R, V> Returns<R, V> {
    /// For a value that can be stored.
    pub fn new<Shape>(_: &Answer<R, Shape, V>, is_absent: IsAbsent<V>, sharing: Sharing<R>) -> Self
    where
        R: Outcome<Shape, Value = V>,
        V: Storable,
    {
        Self {
            value: R::value,
            is_absent,
            encode: |value, codec, out| codec.encode(value, out),
            decode: |payload, codec| codec.decode(payload).map(R::from_value),
            sharing,
            refuse: None,
            errors: None,
        }
    }

    /// Calls may be turned away.
    #[must_use]
    pub fn shedding(self) -> Self
    where
        R: Refuse,
    {
        Self { refuse: Some(R::refuse), ..self }
    }

    /// For functions that cannot fail this does not compile: that they serve stale values instead of errors.
    #[must_use]
    pub fn failing(self) -> Self
    where
        R: Fail,
    {
        self
    }

    /// For values of which none can be absent this does not compile: that absent ones are stored.
    #[must_use]
    pub fn negative(self) -> Self
    where
        V: Optional,
    {
        self
    }

    /// For the entry of a key that others made, which must be one of the same.
    #[must_use]
    pub fn shared<T: Stores<V>>(self) -> Returns<R, T> {
        T::returns(self)
    }

    /// For an entry whose type the macro could only tell by the name of the return type.
    #[must_use]
    pub fn spelled<T: Spells<V>>(self) -> Returns<R, T> {
        T::returns(self)
    }

    /// Errors are remembered.
    #[must_use]
    pub fn remembering(self, errors: fn() -> Errors<R>) -> Self {
        Self { errors: Some(errors), ..self }
    }

    /// Calls are never turned away.
    pub(crate) fn never_shedding(self) -> Self {
        Self { refuse: None, ..self }
    }

    pub(crate) fn encode(
        &self,
        value: &V,
        schema: Schema,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let start = out.len();
        (self.encode)(value, schema.codec, out)?;
        // JSON has one word for `None`, `Some(None)` and `Some(NaN)`: of these only the first can be read back.
        let is_null = out.get(start..) == Some(b"null") && !(self.is_absent)(value);
        if is_null && self.decode(b"null", schema).is_ok_and(|decoded| self.is_none(&decoded)) {
            return Err(CodecError);
        }
        Ok(())
    }

    fn is_none(&self, result: &R) -> bool {
        (self.value)(result).is_some_and(self.is_absent)
    }

    pub(crate) fn decode(&self, payload: &[u8], schema: Schema) -> Result<R, CodecError> {
        (self.decode)(payload, schema.codec)
    }
}

impl<R, V> Clone for Returns<R, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, V> Copy for Returns<R, V> {}

/// Everything a write must know of its return type.
pub struct Written<R, V> {
    /// The success value.
    pub(crate) value: fn(&R) -> Option<&V>,
    /// With `fence = "strict"`: how to refuse.
    pub(crate) refuse: Option<fn(Error) -> R>,
}

impl<R, V> Written<R, V> {
    /// For a write that goes on without a fence.
    #[must_use]
    pub fn new<Shape>(_: &Answer<R, Shape, V>) -> Self
    where
        R: Outcome<Shape, Value = V>,
    {
        Self { value: R::value, refuse: None }
    }

    /// For a write that does not.
    #[must_use]
    pub fn strict<Shape>(_: &Answer<R, Shape, V>) -> Self
    where
        R: Outcome<Shape, Value = V> + Refuse,
    {
        Self { value: R::value, refuse: Some(R::refuse) }
    }
}
