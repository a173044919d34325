//! What a batch returns.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hash};

use crate::error::Error;
use crate::typing::{
    Answer, Compare, Hand, Nature, OfOne, Refuse, ReturnType, Returns, Shared, Sharing, Storable,
};

/// Values by id.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell which value belongs to which id of a batch",
    label = "returned by a batch",
    note = "a batch returns `HashMap<Id, V>`, `BTreeMap<Id, V>` or `Vec<(Id, V)>`, alone or in a \
        `Result`"
)]
pub trait Answers: Sized {
    /// The id type.
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

/// A value that an entry of `T` holds: that, or an option of it, as a function of one id returns
/// it.
#[diagnostic::on_unimplemented(
    message = "the key is that of `{T}`, and the batch returns `{Self}` for an id",
    label = "stored in an entry of `{T}`",
    note = "the key of a batch is a `Key<V>` or a `Key<Option<V>>`, for the `V` that it returns \
        for each id"
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
    message = "`none_ttl` remembers ids without a value, and an entry of `{Self}` cannot say that \
        there is none",
    label = "needs keys of `Option<{Self}>`",
    note = "let the key be that of an option, as of a function that returns `Option<{Self}>`; or \
        leave out `none_ttl`"
)]
pub trait Negative {}

impl<V> Negative for Option<V> {}

/// What a batch is asked for: the ids that it returns values by. (The other way round, the compiler
/// would infer the one from the other, and tell of mismatched types.)
#[diagnostic::on_unimplemented(
    message = "the batch is asked for ids of type `{Self}`, and returns values by `{J}`",
    label = "returned by a batch",
    note = "return the values by the same ids: `HashMap<{Self}, V>`, `BTreeMap<{Self}, V>` or \
        `Vec<({Self}, V)>`"
)]
pub trait SameId<J>: Sized {
    /// The id as the batch was given it.
    fn from_answer(id: J) -> Self;

    /// The id as the batch returns it.
    fn into_answer(self) -> J;
}

impl<I> SameId<I> for I {
    fn from_answer(id: I) -> I {
        id
    }

    fn into_answer(self) -> I {
        self
    }
}

/// Values, each with its id.
type Pairs<I, V> = Vec<(I, V)>;

/// Everything a batch must know of the type `R` that it returns, in terms of the ids `I` that it is
/// asked for and of what their entries hold, `T`.
///
/// Function pointers, so that what cannot be returned is told here, and not once more by all who
/// use this.
pub struct Batched<R, I, T> {
    into_pairs: fn(R) -> Result<Pairs<I, T>, R>,
    from_pairs: fn(&mut dyn Iterator<Item = (I, T)>) -> R,
    /// What is stored for an id without a value, if that can be told.
    pub(crate) nothing: fn() -> Option<T>,
    /// What a read of one id must know.
    pub(crate) of_one: fn() -> Returns<OfOne<T>, T>,
    sharing: Sharing<R>,
    /// Makes the result of a call that was refused, where it may be.
    pub(crate) refuse: Option<fn(Error) -> R>,
}

impl<R, I, T> Batched<R, I, T> {
    /// For values that can be told apart by their ids.
    #[must_use]
    pub fn new<Shape, A, H, C>(_: &Answer<R, Shape, A>, sharing: Sharing<R>, _: H, _: C) -> Self
    where
        R: ReturnType<Shape, Value = A>,
        A: Answers<Value: HeldBy<T>>,
        I: SameId<A::Id>,
        T: Storable,
        H: Hand<T>,
        C: Compare<T>,
    {
        Self {
            into_pairs: |result| {
                let pairs = result.into_value()?.into_pairs();
                Ok(pairs.map(|(id, value)| (I::from_answer(id), value.into_entry())).collect())
            },
            from_pairs: |found| {
                let pairs = found.filter_map(|(id, entry)| {
                    Some((id.into_answer(), A::Value::from_entry(entry)?))
                });
                // Counted before they are put together: a map that grows moves all its values again
                // and again.
                let pairs: Pairs<A::Id, A::Value> = pairs.collect();
                R::from_value(A::from_pairs(pairs.into_iter()))
            },
            nothing: A::Value::nothing,
            of_one: || Returns::of_one(A::Value::is_nothing, Nature::of_one::<H, C>),
            sharing,
            refuse: None,
        }
    }

    /// Calls may be refused: turned away, or because of a value.
    #[must_use]
    pub fn refusing(self) -> Self
    where
        R: Refuse,
    {
        Self { refuse: Some(R::refuse), ..self }
    }

    /// The values that the body returned, or its failure.
    pub(crate) fn take_apart(&self, result: R) -> Result<Pairs<I, T>, R> {
        (self.into_pairs)(result)
    }

    /// What the call returns.
    pub(crate) fn answer(&self, mut found: impl Iterator<Item = (I, T)>) -> R {
        (self.from_pairs)(&mut found)
    }

    /// What the call returns if one id was refused with this error.
    pub(crate) fn refused(&self, id: OfOne<T>) -> Option<R> {
        let error = id.err().flatten()?;
        Some((self.refuse?)(error.downcast_ref::<Error>()?.clone()))
    }

    /// The error for other calls, and what this one returns from now on.
    pub(crate) fn share(&self, result: R) -> (R, Option<Shared>) {
        (self.sharing.share)(result)
    }

    pub(crate) fn unshare(&self, error: Option<&Shared>) -> Option<R> {
        error.and_then(self.sharing.unshare)
    }
}

impl<R, I, T> fmt::Debug for Batched<R, I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batched")
    }
}
