//! Arguments that can outlive their call.

/// An argument that can be copied for the background.
#[diagnostic::on_unimplemented(
    message = "the background cannot have a copy of `{Self}`",
    label = "a load in the background outlives the call, so it needs a copy of this argument",
    note = "implement `Clone` for `{Self}`, pass it in an `Arc`, or leave `stale_while_revalidate` \
        and `load_timeout` out"
)]
pub trait Detach {
    /// The copy.
    type Owned: Send + 'static;

    /// Makes it.
    fn detach(&self) -> Self::Owned;
}

// Otherwise rustc would report that `ToOwned` is missing, which nobody implements by hand.
#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Send + 'static> + ?Sized> Detach for T {
    type Owned = T::Owned;

    fn detach(&self) -> T::Owned {
        self.to_owned()
    }
}

/// A copy of what an argument refers to, for the background.
pub fn detach_lent<T: Detach + ?Sized>(argument: &&T) -> T::Owned {
    T::detach(argument)
}

/// A copy of an argument for the background.
pub fn detach<T: Detach + ?Sized>(argument: &T) -> T::Owned {
    argument.detach()
}
