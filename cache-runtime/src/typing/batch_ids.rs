//! What a batch is asked for.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};

/// A type that can be the id of a batch: it is cloned, and looked up in maps.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an id of a batch",
    label = "is cloned, compared and hashed",
    note = "derive or implement `Clone`, `PartialEq`, `Eq` and `Hash` for it"
)]
pub trait Id: Clone + Eq + Hash {}

// Otherwise rustc would report the missing traits one at a time.
#[diagnostic::do_not_recommend]
impl<I: Clone + Eq + Hash> Id for I {}

/// A collection of ids.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no collection of ids that a batch can take",
    label = "read as a batch",
    note = "a batch takes `&[Id]`, `Vec<Id>`, `HashSet<Id>` or `BTreeSet<Id>`"
)]
pub trait Ids {
    /// What it holds.
    type Id: Id;
    /// What holds those for which the body is run.
    type Owned;

    /// All of them, in order if they have one.
    fn all(&self) -> impl Iterator<Item = &Self::Id>;

    /// A collection of these, each of which is there once.
    fn collect(ids: Vec<Self::Id>) -> Self::Owned;
}

impl<I: Id> Ids for [I] {
    type Id = I;
    type Owned = Vec<I>;

    fn all(&self) -> impl Iterator<Item = &I> {
        self.iter()
    }

    fn collect(ids: Vec<I>) -> Vec<I> {
        ids
    }
}

impl<I: Id> Ids for Vec<I> {
    type Id = I;
    type Owned = Self;

    fn all(&self) -> impl Iterator<Item = &I> {
        self.iter()
    }

    fn collect(ids: Self) -> Self {
        ids
    }
}

impl<I: Id, S: BuildHasher + Default> Ids for HashSet<I, S> {
    type Id = I;
    type Owned = Self;

    fn all(&self) -> impl Iterator<Item = &I> {
        self.iter()
    }

    fn collect(ids: Vec<I>) -> Self {
        ids.into_iter().collect()
    }
}

impl<I: Id + Ord> Ids for BTreeSet<I> {
    type Id = I;
    type Owned = Self;

    fn all(&self) -> impl Iterator<Item = &I> {
        self.iter()
    }

    fn collect(ids: Vec<I>) -> Self {
        ids.into_iter().collect()
    }
}

/// Each id once, where it first stands.
pub(crate) fn distinct<C: Ids + ?Sized>(ids: &C) -> Vec<C::Id> {
    let all = ids.all();
    let mut known = HashSet::with_capacity(all.size_hint().0);
    all.filter(|id| known.insert(*id)).cloned().collect()
}
