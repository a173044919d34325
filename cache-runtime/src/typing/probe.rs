//! Questions about a type that the compiler answers.

use std::marker::PhantomData;

use crate::key::Key;
use crate::typing::{Fallible, Plain};

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
