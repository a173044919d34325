//! What a function's return type means to a cache: which part of it is stored, and when that says
//! "nothing there".
//!
//! `Result<T, E>` stores `T`, every other type stores itself, and a stored `None` is a negative
//! entry. A macro sees only how a type is spelled, whereas the compiler sees through aliases
//! (`sqlx::Result<T>`, `AppResult<T>`): an inherent item of `Probe<Result<T, E>>` shadows the item
//! of the same name that a trait provides for every `Probe<R>`. In an expression this works with
//! generics too; as a constant in a type it needs a type without generics.

mod ability;
mod absent;
mod batch_again;
mod batch_answers;
mod batch_ids;
mod batch_lacks;
mod bounds;
pub(crate) mod companion;
pub(crate) mod detach;
pub(crate) mod entity;
pub(crate) mod former;
mod lacks;
mod macros;
pub(crate) mod merge;
pub(crate) mod named;
mod nature;
pub(crate) mod own;
pub(crate) mod parameters;
mod probe;
mod registration;
pub(crate) mod remembered_errors;
mod returns;
mod sharing;
mod stored;

use std::fmt;

pub use self::ability::Encoded;
pub(crate) use self::ability::{Cloned, Compare, Equal, Hand};
pub use self::batch_again::{Again, again};
pub use self::batch_answers::{Answers, Batched, HeldBy, Negative};
pub(crate) use self::batch_ids::distinct;
pub use self::batch_ids::{Id, Ids};
pub use self::batch_lacks::{
    EachLacksBoth, EachLacksDeserialize, EachLacksNothing, EachLacksSerialize,
};
pub(crate) use self::bounds::{Fail, Fails, Optional, ReadBack, Refuse, Storable, Writable};
pub use self::lacks::{LacksBoth, LacksDeserialize, LacksNothing, LacksSerialize};
pub use self::merge::{Fold, merge};
pub(crate) use self::nature::Nature;
pub use self::nature::Unable;
pub(crate) use self::probe::Answer;
pub use self::probe::{IsAbsent, NeverAbsent, Otherwise, Probe};
pub(crate) use self::returns::OfOne;
pub use self::returns::{Returns, Written};
pub(crate) use self::sharing::{Shared, Sharing};
pub use self::sharing::{SharesByRef, SharesClones, SharesError, SharesText, Unshared};
pub(crate) use self::stored::{Spells, Stores, Yields};

/// The shape of a return type that is a value as a whole.
#[derive(Debug)]
pub struct Plain;

/// The shape of a `Result`: its `Ok` is the value.
#[derive(Debug)]
pub struct Fallible;

/// A return type, seen as one of the two shapes. Only `Fallible` can be wrong: every type is a
/// value as a whole.
#[diagnostic::on_unimplemented(
    message = "the name of `{Self}` ends in `Result`, but it is not a `Result`",
    label = "taken for a `Result`",
    note = "a return type with type parameters in it is judged by its name: rename the type, or \
            return it through an alias that does not end in `Result`"
)]
pub trait ReturnType<Shape>: Sized {
    /// What is stored.
    type Value;

    /// The value, if the call succeeded.
    fn value(&self) -> Option<&Self::Value>;

    /// The value, or the failure as it is.
    fn into_value(self) -> Result<Self::Value, Self>;

    /// What the function returns when the cache has the value.
    fn from_value(value: Self::Value) -> Self;
}

impl<T> ReturnType<Plain> for T {
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

impl<T, E> ReturnType<Fallible> for Result<T, E> {
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

/// A `KIND` as a type.
#[derive(Debug)]
pub struct ValueKind<const KIND: u8>;

/// The shape that a `KIND` stands for.
pub trait Shaped {
    /// The shape.
    type Shape;
}

impl Shaped for ValueKind<0> {
    type Shape = Plain;
}

impl Shaped for ValueKind<1> {
    type Shape = Fallible;
}

/// What a function that returns `R` stores.
pub type Value<R, const KIND: u8> = <R as ReturnType<<ValueKind<KIND> as Shaped>::Shape>>::Value;

macro_rules! opaque_debug {
    ($($type:ident<$($parameter:ident),+>),*) => {$(
        impl<$($parameter),+> fmt::Debug for $type<$($parameter),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    )*};
}
opaque_debug!(Probe<R>, Answer<R, Shape, V>, Sharing<R>, Returns<R, V>, Written<R, V, D>);
