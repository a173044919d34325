//! Whether a return type fits the entry that it is stored in.

use crate::typing::{Otherwise as _, Probe, Returns, Storable};

/// An entry in which a `V` is stored: functions that share one store the same.
#[diagnostic::on_unimplemented(
    message = "the key is that of `{Self}`, and this function stores `{V}`",
    label = "stored in an entry of `{Self}`",
    note = "functions share an entry if they return the same: here `{Self}`, alone or in a `Result`"
)]
pub trait Stores<V>: Sized {
    /// The same, said of the entry.
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, Self>;
}

impl<V> Stores<V> for V {
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, V> {
        returns
    }
}

/// A return type that is stored as a whole, as its name made the macro believe: then it is a `V`
/// itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is hidden behind an alias whose name does not end in `Result`",
    label = "stores `{V}`",
    note = "a return type with type parameters in it is judged by its name: write `Result<T, E>`, \
            or let the alias end in `Result`"
)]
pub trait Spells<V>: Sized {
    /// The same, said of the type as a whole.
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, Self>;
}

impl<V> Spells<V> for V {
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, V> {
        returns
    }
}

/// What a load by hand may return for an entry that stores a `T`: that, alone or in a `Result`.
#[diagnostic::on_unimplemented(
    message = "the key is that of `{T}`, and what is loaded is `{Self}`",
    label = "not what the key stores",
    note = "return `{T}`, or a `Result` of it, or take the key of what is returned"
)]
pub trait Yields<T>: Sized {
    /// The return type, as a read takes it, for the key of a function or one made by hand.
    fn returns(is_by_hand: bool) -> Returns<Self, T>
    where
        T: Storable;
}

#[diagnostic::do_not_recommend]
impl<T> Yields<T> for T {
    fn returns(is_by_hand: bool) -> Returns<T, T>
    where
        T: Storable,
    {
        Returns::by_hand(&Probe::<T>::NEW.shape(), is_by_hand)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Yields<T> for Result<T, E> {
    fn returns(is_by_hand: bool) -> Returns<Self, T>
    where
        T: Storable,
    {
        Returns::by_hand(&Probe::<Self>::NEW.shape(), is_by_hand)
    }
}
