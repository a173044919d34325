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

/// A value that an entry of `T` holds: that, or an option of it, as a function of one id returns it.
#[diagnostic::on_unimplemented(
    message = "the key is that of `{T}`, and the batch returns `{Self}` for an id",
    label = "stored in an entry of `{T}`",
    note = "the key of a batch is a `Key<V>` or a `Key<Option<V>>`, for the `V` that it returns for each id"
)]
pub trait HeldBy<T>: Sized {
    /// What is stored for a value.
    fn into_entry(self) -> T;

    /// What is stored for an id without a value, if that can be told.
    fn nothing() -> Option<T>;

    /// Whether it says that there is no value.
    fn is_nothing(entry: &T) -> bool;

    /// The value, if there is one.
    fn from_entry(entry: T) -> Option<Self>;
}

impl<V> HeldBy<V> for V {
    fn into_entry(self) -> V {
        self
    }

    fn nothing() -> Option<V> {
        None
    }

    fn is_nothing(_: &V) -> bool {
        false
    }

    fn from_entry(entry: V) -> Option<V> {
        Some(entry)
    }
}

impl<V> HeldBy<Option<V>> for V {
    fn into_entry(self) -> Option<V> {
        Some(self)
    }

    fn nothing() -> Option<Option<V>> {
        Some(None)
    }

    fn is_nothing(entry: &Option<V>) -> bool {
        entry.is_none()
    }

    fn from_entry(entry: Option<V>) -> Option<V> {
        entry
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

/// What a batch gets values by: the ids that it is asked for.
#[diagnostic::on_unimplemented(
    message = "the batch is asked for ids of type `{I}`, and returns values by `{Self}`",
    label = "returned by a batch",
    note = "return the values by the same ids: `HashMap<{I}, V>`, `BTreeMap<{I}, V>` or `Vec<({I}, V)>`"
)]
pub trait SameId<I>: Sized {
    /// The id as the batch was given it.
    fn into_id(self) -> I;

    /// The id as the batch returns it.
    fn from_id(id: I) -> Self;
}

impl<I> SameId<I> for I {
    fn into_id(self) -> I {
        self
    }

    fn from_id(id: I) -> I {
        id
    }
}

/// Values, each with its id.
type Pairs<I, V> = Vec<(I, V)>;

/// Everything a batch must know of the type `R` that it returns, and of the ids `I` and the values `V` in it.
///
/// Function pointers, so that what cannot be returned is told here, and not once more by all who use this.
pub struct Batched<R, I, V> {
    into_pairs: fn(R) -> Result<Pairs<I, V>, R>,
    from_pairs: fn(Pairs<I, V>) -> R,
    sharing: Sharing<R>,
    /// Makes the result of a call that was turned away, where it may be.
    pub(super) refuse: Option<fn(Error) -> R>,
}

impl<R, I, V> Batched<R, I, V> {
    /// For values that can be told apart by their ids.
    #[must_use]
    pub fn new<Shape, A>(_: &Answer<R, Shape, A>, sharing: Sharing<R>) -> Self
    where
        R: Outcome<Shape, Value = A>,
        A: Answers<Id = I, Value = V>,
    {
        Self {
            into_pairs: |result| Ok(result.into_value()?.into_pairs().collect()),
            from_pairs: |pairs| R::from_value(A::from_pairs(pairs.into_iter())),
            sharing,
            refuse: None,
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

    /// The values that the body returned, or its failure.
    pub(super) fn take_apart<J, T>(&self, result: R) -> Result<Pairs<J, T>, R>
    where
        I: SameId<J>,
        V: HeldBy<T>,
    {
        let pairs = (self.into_pairs)(result)?.into_iter();
        Ok(pairs.map(|(id, value)| (id.into_id(), value.into_entry())).collect())
    }

    /// What the call returns.
    pub(super) fn answer<J, T>(&self, found: impl Iterator<Item = (J, T)>) -> R
    where
        I: SameId<J>,
        V: HeldBy<T>,
    {
        let pairs = found.filter_map(|(id, value)| Some((I::from_id(id), V::from_entry(value)?)));
        // Counted before they are put together: a map that grows moves all its values again and again.
        (self.from_pairs)(pairs.collect())
    }

    pub(super) fn share(&self, result: &R) -> Option<SharedError> {
        (self.sharing.share)(result)
    }

    pub(super) fn unshare(&self, error: Option<&SharedError>) -> Option<R> {
        error.and_then(self.sharing.unshare)
    }
}

impl<R, I, V> fmt::Debug for Batched<R, I, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batched")
    }
}
