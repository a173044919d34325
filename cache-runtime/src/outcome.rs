//! What a function's return type means to a cache: which part of it is stored, and when that says "nothing there".
//!
//! `Result<T, E>` stores `T`, everything else stores itself; a stored `None` is a negative entry. A macro sees only
//! how a type is spelled, the compiler sees through aliases (`sqlx::Result<T>`, `AppResult<T>`): an inherent item of
//! `Probe<Result<T, E>>` hides the item of the same name that a trait gives to every `Probe<R>`. In an expression
//! that works with generics too; as a constant in a type it needs a type without them.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, CodecError, Schema};
use crate::error::Error;
use crate::errors::Errors;
use crate::key::Key;

/// The shape of a return type that is a value as a whole.
#[derive(Debug)]
pub struct Plain;

/// The shape of a `Result`: its `Ok` is the value.
#[derive(Debug)]
pub struct Fallible;

/// A return type, seen as one of the two shapes.
pub trait Outcome<Shape>: Sized {
    /// What is stored.
    type Value;

    /// The value, if the call succeeded.
    fn value(&self) -> Option<&Self::Value>;

    /// The value, or the failure as it is.
    fn into_value(self) -> Result<Self::Value, Self>;

    /// What the function returns when the cache has the value.
    fn from_value(value: Self::Value) -> Self;
}

impl<T> Outcome<Plain> for T {
    type Value = T;

    fn value(&self) -> Option<&T> {
        Some(self)
    }

    fn into_value(self) -> Result<T, T> {
        Ok(self)
    }

    fn from_value(value: T) -> T {
        value
    }
}

impl<T, E> Outcome<Fallible> for Result<T, E> {
    type Value = T;

    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }

    fn into_value(self) -> Result<T, Self> {
        self.map_err(Err)
    }

    fn from_value(value: T) -> Self {
        Ok(value)
    }
}

/// What can be stored and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in the cache",
    label = "this is stored and read back",
    note = "derive or implement `serde::Serialize` and `serde::Deserialize` for it",
    note = "for `Arc` and `Rc`, enable the feature `rc` of serde"
)]
pub trait Storable: Serialize + DeserializeOwned {}

// Else rustc would tell which of serde's traits is missing, in serde's words.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Storable for T {}

/// What can say that a call was refused: a write without its fence, or a load too many.
#[diagnostic::on_unimplemented(
    message = "the call may be refused, and `{Self}` cannot say so",
    label = "needs to be a `Result` whose error can be made from `cache_runtime::Error`",
    note = "implement `From<cache_runtime::Error>` for the error type"
)]
pub trait Refuse {
    /// What the function returns when it was refused.
    fn refuse(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> Refuse for Result<T, E> {
    fn refuse(error: Error) -> Self {
        Err(error.into())
    }
}

/// What can be an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an error, so there is nothing that a stale value could be served instead of",
    label = "needs to be a `Result`",
    note = "`stale_while_revalidate` serves stale values whatever the function returns"
)]
pub trait Fail {}

#[diagnostic::do_not_recommend]
impl<T, E> Fail for Result<T, E> {}

/// Asks about the type `R`.
pub struct Probe<R>(PhantomData<fn() -> R>);

/// The answer: `R` has this shape, and stores `V`.
pub struct Answer<R, Shape, V>(PhantomData<fn(R, Shape) -> V>);

/// Whether a `V` that is stored means that there is nothing.
pub type IsAbsent<V> = fn(&V) -> bool;

impl<R> Clone for Probe<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Probe<R> {}

impl<R> Probe<R> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

impl<T, E> Probe<Result<T, E>> {
    /// 1: it is a `Result`.
    pub const KIND: u8 = 1;

    /// It is a `Result`.
    #[must_use]
    pub fn shape(self) -> Answer<Result<T, E>, Fallible, T> {
        Answer(PhantomData)
    }
}

/// What [`Probe`] answers about all other types.
pub trait Otherwise<R> {
    /// 0: it is no `Result`.
    const KIND: u8 = 0;

    /// It is no `Result`.
    fn shape(self) -> Answer<R, Plain, R>;
}

impl<R> Otherwise<R> for Probe<R> {
    fn shape(self) -> Answer<R, Plain, R> {
        Answer(PhantomData)
    }
}

impl<T> Answer<T, Plain, T> {
    /// Of a key: its values are what is stored.
    pub(crate) fn of_key() -> Self {
        Self(PhantomData)
    }
}

impl<R, Shape, T> Answer<R, Shape, Option<T>> {
    /// It stores an `Option`.
    #[must_use]
    #[expect(clippy::unused_self, reason = "being a method is what hides the trait's")]
    pub fn is_absent(&self) -> IsAbsent<Option<T>> {
        Option::is_none
    }
}

impl<T> Key<Option<T>> {
    /// Its entry stores an `Option`.
    #[doc(hidden)]
    #[must_use]
    pub fn is_absent(&self) -> IsAbsent<Option<T>> {
        Option::is_none
    }
}

/// What `Answer` and `Key` say of all other values.
pub trait NeverAbsent<V> {
    /// It stores no `Option`.
    fn is_absent(&self) -> IsAbsent<V>;
}

impl<R, Shape, V> NeverAbsent<V> for Answer<R, Shape, V> {
    fn is_absent(&self) -> IsAbsent<V> {
        |_| false
    }
}

impl<T> NeverAbsent<T> for Key<T> {
    fn is_absent(&self) -> IsAbsent<T> {
        |_| false
    }
}

/// An error that several callers get a copy of.
pub(crate) type SharedError = Arc<dyn Any + Send + Sync>;

/// How an error reaches the callers that waited for the load that failed.
pub struct Sharing<R> {
    pub(crate) share: fn(&R) -> Option<SharedError>,
    pub(crate) unshare: fn(&SharedError) -> Option<R>,
}

impl<T, E: Clone + Send + Sync + 'static> Probe<Result<T, E>> {
    /// Each waiter gets a clone of the error.
    pub const SHARING: Sharing<Result<T, E>> = Sharing {
        share: |result| result.as_ref().err().map(|error| Arc::new(error.clone()) as SharedError),
        unshare: |error| error.downcast_ref::<E>().map(|error| Err(error.clone())),
    };
}

/// What [`Probe`] answers where errors cannot be cloned: each waiter loads for itself.
pub trait Unshared<R> {
    /// Nothing is shared.
    const SHARING: Sharing<R> = Sharing { share: |_| None, unshare: |_| None };
}

impl<R> Unshared<R> for Probe<R> {}

/// Everything a read must know of the type `R` that the function returns and the `V` that is stored.
///
/// Function pointers, so that what uses them is not compiled once more for each pair of types.
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

impl<R> Clone for Sharing<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sharing<R> {}

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

/// A `KIND` as a type.
#[derive(Debug)]
pub struct Kind<const KIND: u8>;

/// The shape that a `KIND` stands for.
pub trait Shaped {
    /// The shape.
    type Shape;
}

impl Shaped for Kind<0> {
    type Shape = Plain;
}

impl Shaped for Kind<1> {
    type Shape = Fallible;
}

/// What a function that returns `R` stores.
pub type Value<R, const KIND: u8> = <R as Outcome<<Kind<KIND> as Shaped>::Shape>>::Value;

macro_rules! opaque_debug {
    ($($type:ident<$($parameter:ident),+>),*) => {$(
        impl<$($parameter),+> fmt::Debug for $type<$($parameter),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    )*};
}
opaque_debug!(Probe<R>, Answer<R, Shape, V>, Sharing<R>, Returns<R, V>, Written<R, V>);
