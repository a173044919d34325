//! What a function's return type means to a cache: which part of it is stored, and when that says "nothing there".
//!
//! `Result<T, E>` stores `T`, everything else stores itself; a stored `None` is a negative entry. This is decided by
//! the type, not by its spelling, so that aliases (`sqlx::Result<T>`, `AppResult<T>`) work: a constant of an inherent
//! `impl` on [`Probe`] shadows the same constant of a trait, and the constant selects the implementation of
//! [`Outcome`] and of [`Presence`].

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, CodecError, Schema};
use crate::error::Error;

/// A return type that can fail (`Outcome<true>`) or not (`Outcome<false>`).
pub trait Outcome<const FALLIBLE: bool>: Sized {
    /// What is stored.
    type Value;

    /// The value, unless the function failed.
    fn value(&self) -> Option<&Self::Value>;

    /// What the function would have returned.
    fn from_value(value: Self::Value) -> Self;
}

impl<T> Outcome<false> for T {
    type Value = T;

    fn value(&self) -> Option<&T> {
        Some(self)
    }

    fn from_value(value: T) -> Self {
        value
    }
}

impl<T, E> Outcome<true> for Result<T, E> {
    type Value = T;

    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }

    fn from_value(value: T) -> Self {
        Ok(value)
    }
}

/// A value that can say that there is nothing (`Presence<true>`) or not (`Presence<false>`).
pub trait Presence<const OPTIONAL: bool> {
    /// Whether there is nothing.
    fn is_absent(&self) -> bool;
}

impl<T> Presence<false> for T {
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T> Presence<true> for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// A value that a cache can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in the cache",
    label = "a cached function returns this",
    note = "a cached value is written and read back: derive `serde::Serialize` and `serde::Deserialize` for it, without borrowed data"
)]
pub trait Storable: Serialize + DeserializeOwned {}

impl<T: Serialize + DeserializeOwned> Storable for T {}

/// Carries a type whose constants are asked for.
pub struct Probe<T>(PhantomData<T>);

/// The answers for types that no inherent `impl` on [`Probe`] names.
pub trait Otherwise {
    /// Not a `Result`.
    const FALLIBLE: bool = false;
    /// Not an `Option`.
    const OPTIONAL: bool = false;
}

impl<T> Otherwise for Probe<T> {}

impl<T, E> Probe<Result<T, E>> {
    /// A `Result`.
    pub const FALLIBLE: bool = true;
}

impl<T> Probe<Option<T>> {
    /// An `Option`.
    pub const OPTIONAL: bool = true;
}

/// An error that several callers get a copy of.
pub(crate) type SharedError = Arc<dyn Any + Send + Sync>;

/// How an error reaches the callers that waited for the load that failed.
pub struct Sharing<R> {
    pub(crate) share: fn(&R) -> Option<SharedError>,
    pub(crate) unshare: fn(&SharedError) -> Option<R>,
}

/// The answer for results whose error is not `Clone + Send + Sync + 'static`: each waiter loads for itself.
pub trait Unshared<R> {
    /// Never shares.
    const SHARING: Sharing<R> = Sharing { share: |_| None, unshare: |_| None };
}

impl<R> Unshared<R> for Probe<R> {}

impl<T, E: Clone + Send + Sync + 'static> Probe<Result<T, E>> {
    /// Gives each waiter a clone of the error.
    pub const SHARING: Sharing<Result<T, E>> = Sharing {
        share: |result| result.as_ref().err().map(|error| Arc::new(error.clone()) as SharedError),
        unshare: |error| error.downcast_ref::<E>().map(|error| Err(error.clone())),
    };
}

/// A cached function's return type `R` with its stored value `V`, as plain functions: the read path is compiled once
/// per type and not once per trait.
pub struct Returns<R, V> {
    pub(crate) value: fn(&R) -> Option<&V>,
    pub(crate) is_absent: fn(&V) -> bool,
    encode: fn(&V, Codec, &mut Vec<u8>) -> Result<(), CodecError>,
    decode: fn(&[u8], Codec) -> Result<R, CodecError>,
    pub(crate) sharing: Sharing<R>,
}

impl<R, V> Returns<R, V> {
    /// Called by `returns!`, which finds out the constants.
    #[must_use]
    pub fn new<const FALLIBLE: bool, const OPTIONAL: bool>(sharing: Sharing<R>) -> Self
    where
        R: Outcome<FALLIBLE, Value = V>,
        V: Presence<OPTIONAL> + Storable,
    {
        Self {
            value: R::value,
            is_absent: V::is_absent,
            encode: |value, codec, out| codec.encode(value, out),
            decode: |payload, codec| codec.decode(payload).map(R::from_value),
            sharing,
        }
    }

    pub(crate) fn encode(
        &self,
        value: &V,
        schema: Schema,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        (self.encode)(value, schema.codec, out)
    }

    pub(crate) fn decode(&self, payload: &[u8], schema: Schema) -> Result<R, CodecError> {
        (self.decode)(payload, schema.codec)
    }
}

/// A write's return type `R` with its success value `V`.
pub struct Written<R, V> {
    pub(crate) value: fn(&R) -> Option<&V>,
    /// Makes the result of a write that was refused, where it may be.
    pub(crate) refuse: Option<fn(Error) -> R>,
}

impl<R, V> Written<R, V> {
    /// Called by `outcome!`.
    #[must_use]
    pub fn new<const FALLIBLE: bool>() -> Self
    where
        R: Outcome<FALLIBLE, Value = V>,
    {
        Self { value: R::value, refuse: None }
    }
}

impl<T, E: From<Error>> Written<Result<T, E>, T> {
    /// Called by `strict!`: the write is refused where its fence cannot be put up.
    #[must_use]
    pub fn strict() -> Self {
        Self { value: |result| result.as_ref().ok(), refuse: Some(|error| Err(error.into())) }
    }
}

macro_rules! opaque_debug {
    ($($type:ident<$($parameter:ident),+>),*) => {$(
        impl<$($parameter),+> fmt::Debug for $type<$($parameter),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    )*};
}
opaque_debug!(Probe<T>, Sharing<R>, Returns<R, V>, Written<R, V>);

/// `returns!(Type)`: the [`Returns`] of a type, told from the type. `returns!(Type as kind)`: told by the caller, for types
/// that mention generic parameters, which a constant of a type may not.
#[doc(hidden)]
#[macro_export]
macro_rules! __returns {
    ($type:ty as plain) => { $crate::__returns!(@new $type, false, false) };
    ($type:ty as result) => { $crate::__returns!(@new $type, true, false) };
    ($type:ty as option) => { $crate::__returns!(@new $type, false, true) };
    ($type:ty as result_option) => { $crate::__returns!(@new $type, true, true) };
    ($type:ty) => {
        $crate::__returns!(@new $type, { $crate::__fallible!($type) }, {
            use $crate::__private::Otherwise as _;
            $crate::__private::Probe::<$crate::__value!($type)>::OPTIONAL
        })
    };
    (@new $type:ty, $fallible:tt, $optional:tt) => {
        $crate::__private::Returns::<$type, _>::new::<$fallible, $optional>({
            use $crate::__private::Unshared as _;
            $crate::__private::Probe::<$type>::SHARING
        })
    };
}

/// In type position: the stored value of a return type.
#[doc(hidden)]
#[macro_export]
macro_rules! __value {
    ($type:ty as plain) => {
        $type
    };
    ($type:ty as option) => {
        $type
    };
    ($type:ty as $kind:ident) => {
        <$type as $crate::__private::Outcome<true>>::Value
    };
    ($type:ty) => {
        <$type as $crate::__private::Outcome<{ $crate::__fallible!($type) }>>::Value
    };
}

/// `outcome!(Type)`: the [`Written`] of a write's return type.
#[doc(hidden)]
#[macro_export]
macro_rules! __outcome {
    ($type:ty as plain) => {
        $crate::__private::Written::<$type, _>::new::<false>()
    };
    ($type:ty as option) => {
        $crate::__private::Written::<$type, _>::new::<false>()
    };
    ($type:ty as $kind:ident) => {
        $crate::__private::Written::<$type, _>::new::<true>()
    };
    ($type:ty) => {
        $crate::__private::Written::<$type, _>::new::<{ $crate::__fallible!($type) }>()
    };
}

/// `strict!(Type)`: the [`Written`] of a write that may be refused.
#[doc(hidden)]
#[macro_export]
macro_rules! __strict {
    ($type:ty $(as $kind:ident)?) => {
        $crate::__private::Written::<$type, _>::strict()
    };
}

/// Whether a type without generic parameters is a `Result`.
#[doc(hidden)]
#[macro_export]
macro_rules! __fallible {
    ($type:ty) => {{
        use $crate::__private::Otherwise as _;
        $crate::__private::Probe::<$type>::FALLIBLE
    }};
}
