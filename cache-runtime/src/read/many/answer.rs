//! What a batch returns.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hash};

use crate::error::Error;
use crate::outcome::{Answer, Outcome, Refuse, SharedError, Sharing};

/// Values by id.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell which value belongs to which id of a batch",
    label = "returned by a batch",
    note = "a batch returns `HashMap<Id, V>`, `BTreeMap<Id, V>` or `Vec<(Id, V)>`, alone or in a `Result`"
)]
pub trait Answers: Sized {
    /// What a value belongs to.
    type Id;
    /// One id's value.
    type Value;

    /// Takes it apart.
    fn into_pairs(self) -> impl Iterator<Item = (Self::Id, Self::Value)>;

    /// Puts it together, in the order of the ids.
    fn from_pairs(pairs: impl Iterator<Item = (Self::Id, Self::Value)>) -> Self;
}

impl<I: Eq + Hash, V, S: BuildHasher + Default> Answers for HashMap<I, V, S> {
    type Id = I;
    type Value = V;

    fn into_pairs(self) -> impl Iterator<Item = (I, V)> {
        self.into_iter()
    }

    fn from_pairs(pairs: impl Iterator<Item = (I, V)>) -> Self {
        pairs.collect()
    }
}

impl<I: Ord, V> Answers for BTreeMap<I, V> {
    type Id = I;
    type Value = V;

    fn into_pairs(self) -> impl Iterator<Item = (I, V)> {
        self.into_iter()
    }

    fn from_pairs(pairs: impl Iterator<Item = (I, V)>) -> Self {
        pairs.collect()
    }
}

impl<I, V> Answers for Vec<(I, V)> {
    type Id = I;
    type Value = V;

    fn into_pairs(self) -> impl Iterator<Item = (I, V)> {
        self.into_iter()
    }

    fn from_pairs(pairs: impl Iterator<Item = (I, V)>) -> Self {
        pairs.collect()
    }
}

/// What is stored for an id whose value is a `V`: that, or an option of it, as a function of one id returns it.
#[diagnostic::on_unimplemented(
    message = "the key is that of `{Self}`, and the batch returns `{V}` for an id",
    label = "this entry cannot hold that value",
    note = "the key of a batch is a `Key<V>` or a `Key<Option<V>>`, for the `V` that it returns for each id"
)]
pub trait Holds<V>: Sized {
    /// What is stored for a value.
    fn of(value: V) -> Self;

    /// What is stored for an id without a value, if that can be told.
    fn nothing() -> Option<Self>;

    /// Whether it says that there is no value.
    fn is_nothing(&self) -> bool;

    /// The value, if there is one.
    fn into_value(self) -> Option<V>;
}

impl<V> Holds<V> for V {
    fn of(value: V) -> V {
        value
    }

    fn nothing() -> Option<V> {
        None
    }

    fn is_nothing(&self) -> bool {
        false
    }

    fn into_value(self) -> Option<V> {
        Some(self)
    }
}

impl<V> Holds<V> for Option<V> {
    fn of(value: V) -> Self {
        Some(value)
    }

    fn nothing() -> Option<Self> {
        Some(None)
    }

    fn is_nothing(&self) -> bool {
        self.is_none()
    }

    fn into_value(self) -> Option<V> {
        self
    }
}

/// What can say that an id has no value.
#[diagnostic::on_unimplemented(
    message = "`none_ttl` remembers ids without a value, and an entry of `{Self}` cannot say that there is none",
    label = "needs keys of `Option<{Self}>`",
    note = "let the key be that of an option, as of a function that returns `Option<{Self}>`; or leave out `none_ttl`"
)]
pub trait Negative {}

impl<V> Negative for Option<V> {}

/// Everything a batch must know of the type `R` that it returns and the values `A` in it.
pub struct Batched<R, A> {
    value: fn(R) -> Result<A, R>,
    from_value: fn(A) -> R,
    sharing: Sharing<R>,
    /// Makes the result of a call that was turned away, where it may be.
    pub(super) refuse: Option<fn(Error) -> R>,
}

impl<R, A: Answers> Batched<R, A> {
    /// For values that can be told apart by their ids.
    #[must_use]
    pub fn new<Shape>(_: &Answer<R, Shape, A>, sharing: Sharing<R>) -> Self
    where
        R: Outcome<Shape, Value = A>,
    {
        Self { value: R::into_value, from_value: R::from_value, sharing, refuse: None }
    }

    /// Calls may be turned away.
    #[must_use]
    pub fn shedding(self) -> Self
    where
        R: Refuse,
    {
        Self { refuse: Some(R::refuse), ..self }
    }

    /// The values that the body returned, or its failure.
    pub(super) fn take_apart<T: Holds<A::Value>>(&self, result: R) -> Result<Vec<(A::Id, T)>, R> {
        let pairs = (self.value)(result)?.into_pairs();
        Ok(pairs.map(|(id, value)| (id, T::of(value))).collect())
    }

    /// What the call returns.
    pub(super) fn answer<T: Holds<A::Value>>(&self, found: impl Iterator<Item = (A::Id, T)>) -> R {
        let pairs = found.filter_map(|(id, value)| Some((id, value.into_value()?)));
        // Counted before they are put together: a map that grows moves all its values again and again.
        let pairs: Vec<_> = pairs.collect();
        (self.from_value)(A::from_pairs(pairs.into_iter()))
    }

    pub(super) fn share(&self, result: &R) -> Option<SharedError> {
        (self.sharing.share)(result)
    }

    pub(super) fn unshare(&self, error: Option<&SharedError>) -> Option<R> {
        error.and_then(self.sharing.unshare)
    }
}

impl<R, A> fmt::Debug for Batched<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batched")
    }
}
