//! The entity that a value is, or holds.

use crate::key::Key;

/// A value that is an entity, or says that there is none.
#[diagnostic::on_unimplemented(
    message = "the function finds a `{Self}`, and its `entry` closure takes a `&{E}`",
    label = "not what the function finds",
    note = "the closure takes what the function returns, without `Result` and without `Option`"
)]
pub trait Holds<E> {
    /// The entity, if there is one.
    fn entity(&self) -> Option<&E>;
}

#[diagnostic::do_not_recommend]
impl<E> Holds<E> for E {
    fn entity(&self) -> Option<&E> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E> Holds<E> for Option<E> {
    fn entity(&self) -> Option<&E> {
        self.as_ref()
    }
}

/// The key of the entry that holds the value of an alias.
pub fn entry<T: Holds<E>, E>(value: &T, entry: impl FnOnce(&E) -> Key<T>) -> Option<Key<T>> {
    value.entity().map(entry)
}
