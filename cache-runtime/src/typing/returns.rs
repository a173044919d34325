//! What reads and writes need to know about a return type.

use std::sync::Arc;

use crate::codec::fidelity::{self, Difference, Exactness};
use crate::codec::{Codec, CodecError};
use crate::error::Error;
use crate::typing::remembered_errors::Errors;
use crate::typing::{
    Answer, Compare, Encoded, Fail, Fails, Hand, IsAbsent, Nature, Optional, Refuse, ReturnType,
    Shared, Sharing, Spells, Storable, Stores, absent,
};

/// Everything a read must know of the type `R` that the function returns and the `V` that is
/// stored.
///
/// Function pointers, so that the code that uses them is not compiled again for each pair of types.
pub struct Returns<R, V> {
    pub(crate) value: fn(&R) -> Option<&V>,
    pub(crate) is_absent: IsAbsent<V>,
    encode: fn(&V, Codec, &mut Vec<u8>) -> Result<Exactness, CodecError>,
    decode: fn(&[u8], Codec) -> Result<R, CodecError>,
    pub(crate) sharing: Sharing<R>,
    /// What else the value can do. One pointer, as this is part of every call's future.
    pub(crate) nature: fn() -> Nature<R, V>,
    /// Makes the result of a call that was refused, where it may be.
    pub(crate) refuse: Option<fn(Error) -> R>,
    /// How errors are remembered, where they are. One pointer as well.
    pub(crate) errors: Option<fn() -> Errors<R>>,
}

/// What becomes of one id of a batch: its value, or the error of a failed load as far as that can
/// be shared.
pub(crate) type OfOne<T> = Result<T, Option<Shared>>;

impl<T: Storable> Returns<OfOne<T>, T> {
    /// For one id of a batch. It can be refused by itself; what the batch then returns is for the
    /// batch to say.
    pub(crate) fn of_one(is_absent: IsAbsent<T>, nature: fn() -> Nature<OfOne<T>, T>) -> Self {
        Self {
            value: |result| result.as_ref().ok(),
            is_absent,
            encode: fidelity::encode,
            decode: |payload, codec| codec.decode(payload).map(Ok),
            sharing: Sharing {
                share: |result| {
                    let error = result.as_ref().err().cloned().flatten();
                    (result, error)
                },
                unshare: |error| Some(Err(Some(Arc::clone(error)))),
            },
            nature,
            refuse: Some(|error| Err(Some(Arc::new(error)))),
            errors: None,
        }
    }
}

impl<R, V> Returns<R, V> {
    /// For a value that can be stored.
    pub fn new<Shape, H, C>(
        _: &Answer<R, Shape, V>,
        is_absent: IsAbsent<V>,
        sharing: Sharing<R>,
        _: H,
        _: C,
    ) -> Self
    where
        R: ReturnType<Shape, Value = V>,
        V: Storable,
        H: Hand<V>,
        C: Compare<V>,
    {
        Self {
            value: R::value,
            is_absent,
            encode: fidelity::encode,
            decode: |payload, codec| codec.decode(payload).map(R::from_value),
            sharing,
            nature: Nature::new::<Shape, H, C>,
            refuse: None,
            errors: None,
        }
    }

    /// For a load by hand. No macro has asked what else the types can do, so waiters decode values,
    /// and do not share errors. Under a key made by hand, `None` is a value like any other.
    pub(crate) fn by_hand<Shape>(answer: &Answer<R, Shape, V>, is_by_hand: bool) -> Self
    where
        R: ReturnType<Shape, Value = V>,
        V: Storable,
    {
        let is_absent = if is_by_hand { |_: &V| false } else { absent::is_none };
        let returns = Self::new(answer, is_absent, Sharing::NONE, Encoded, Encoded);
        Self {
            nature: || Nature { by_hand: true, ..Nature::new::<Shape, Encoded, Encoded>() },
            ..returns
        }
    }

    /// Calls may be refused: turned away, or because of their value.
    #[must_use]
    pub fn refusing(self) -> Self
    where
        R: Refuse,
    {
        Self { refuse: Some(R::refuse), ..self }
    }

    /// For functions that cannot fail this does not compile: that they serve stale values instead
    /// of errors.
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

    /// Calls are never refused.
    pub(crate) fn never_refusing(self) -> Self {
        Self { refuse: None, ..self }
    }

    /// Appends the bytes of a value.
    pub(crate) fn encode(
        &self,
        value: &V,
        codec: Codec,
        out: &mut Vec<u8>,
    ) -> Result<Exactness, CodecError> {
        (self.encode)(value, codec, out)
    }

    /// Compares a value with what can be read from its bytes.
    pub(crate) fn compare(
        &self,
        value: &V,
        codec: Codec,
        payload: &[u8],
    ) -> Result<(), Difference> {
        ((self.nature)().compare)(value, codec, payload)
    }

    pub(crate) fn decode(&self, payload: &[u8], codec: Codec) -> Result<R, CodecError> {
        (self.decode)(payload, codec)
    }
}

impl<R, V> Clone for Returns<R, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, V> Copy for Returns<R, V> {}

/// Everything a write must know of its return type.
pub struct Written<R, V, D = fn(&R) -> bool> {
    /// The success value.
    pub(crate) value: fn(&R) -> Option<&V>,
    /// With `fence = "strict"`: how to refuse.
    pub(crate) refuse: Option<fn(Error) -> R>,
    /// Whether a failure leaves open what the database does.
    pub(crate) in_doubt: D,
}

impl<R, V> Written<R, V> {
    /// For a write that goes on without a fence.
    #[must_use]
    pub fn new<Shape>(_: &Answer<R, Shape, V>) -> Self
    where
        R: ReturnType<Shape, Value = V>,
    {
        Self { value: R::value, refuse: None, in_doubt: |_| false }
    }

    /// For a write that does not.
    #[must_use]
    pub fn strict<Shape>(_: &Answer<R, Shape, V>) -> Self
    where
        R: ReturnType<Shape, Value = V> + Refuse,
    {
        Self { value: R::value, refuse: Some(R::refuse), in_doubt: |_| false }
    }

    /// For a write some of whose errors leave open what the database does.
    #[must_use]
    pub fn in_doubt<F>(self, of: F) -> Written<R, V, impl FnOnce(&R) -> bool>
    where
        R: Fails,
        F: FnOnce(&R::Error) -> bool,
    {
        let in_doubt = move |result: &R| result.error().is_some_and(of);
        Written { value: self.value, refuse: self.refuse, in_doubt }
    }
}
