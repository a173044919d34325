//! How an attribute calls the companion of a function that it knows by its name alone.
//!
//! `get_user_key(id)` may name the companion of `get_user`, or a function whose own companion is
//! `get_user_key_key`. `self.get_user(id)` may have a companion with a receiver or, if its key has
//! nothing of `self`, one without. Attributes cannot see which. The compiler can, by what resolves
//! and by what can be called.

use std::fmt;

/// What is found in place of the companion of a function that has none.
#[derive(Clone, Copy, Debug)]
pub struct NoCompanion;

/// What the companion of a name is, if there is one, and what the name itself is.
#[derive(Clone, Copy, Debug)]
pub struct OneOf<C, F>(pub C, pub F);

impl<F> OneOf<NoCompanion, F> {
    /// The name is that of a companion itself.
    #[must_use]
    pub fn pick(self) -> F {
        self.1
    }
}

/// What [`OneOf`] answers for a function with a companion: its own method hides the one of this
/// name here.
pub trait ItsCompanion {
    /// The companion.
    type Companion;

    /// The name is that of a function.
    fn pick(self) -> Self::Companion;
}

impl<C, F> ItsCompanion for OneOf<C, F> {
    type Companion = C;

    fn pick(self) -> C {
        self.0
    }
}

/// `self`, as the companions of its methods take it.
pub struct Receiver<'a, S: ?Sized>(&'a S);

/// A companion that makes a `K`, and what it is called on. `Args` are its parameters without the
/// receiver.
pub struct Bound<'a, S: ?Sized, F, Args, K> {
    receiver: &'a S,
    companion: F,
    make: fn(F, &S, Args) -> K,
}

/// Takes the receiver first.
#[derive(Debug)]
pub struct WithReceiver;

/// Takes the arguments alone.
#[derive(Debug)]
pub struct Alone;

/// A function that makes a key of `Args`, on an `S` or without.
#[diagnostic::on_unimplemented(
    message = "the companion of this method does not take these arguments",
    label = "takes others",
    note = "a companion takes the parameters that the key and its tags use, and no others, each by \
        reference"
)]
pub trait Companion<S: ?Sized, Args, How> {
    /// The key.
    type Key;

    /// Makes the key.
    fn key(self, receiver: &S, args: Args) -> Self::Key;
}

macro_rules! companions {
    ($($(($arg:ident: $ty:ident))*;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<S: ?Sized, K, F: Fn(&S, $($ty),*) -> K, $($ty),*>
            Companion<S, ($($ty,)*), WithReceiver> for F
        {
            type Key = K;

            fn key(self, receiver: &S, ($($arg,)*): ($($ty,)*)) -> K {
                self(receiver, $($arg),*)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<S: ?Sized, K, F: Fn($($ty),*) -> K, $($ty),*> Companion<S, ($($ty,)*), Alone> for F {
            type Key = K;

            fn key(self, _: &S, ($($arg,)*): ($($ty,)*)) -> K {
                self($($arg),*)
            }
        }
    )*};
}

companions! {
    ;
    (a: A);
    (a: A) (b: B);
    (a: A) (b: B) (c: C);
    (a: A) (b: B) (c: C) (d: D);
    (a: A) (b: B) (c: C) (d: D) (e: E);
    (a: A) (b: B) (c: C) (d: D) (e: E) (g: G);
    (a: A) (b: B) (c: C) (d: D) (e: E) (g: G) (h: H);
    (a: A) (b: B) (c: C) (d: D) (e: E) (g: G) (h: H) (i: I);
}

impl<'a, S: ?Sized> Receiver<'a, S> {
    /// Of a reference, whose type is to be known where this is called, so that smart pointers are
    /// followed.
    #[must_use]
    pub fn new(receiver: &'a S) -> Self {
        Self(receiver)
    }

    /// Binds a companion. Arguments are given in a second step, when the types of its parameters
    /// are known, and so are converted as in any call: `&String` to `&str`.
    #[must_use]
    pub fn companion<F, Args, How>(self, companion: F) -> Bound<'a, S, F, Args, F::Key>
    where
        F: Companion<S, Args, How>,
    {
        Bound { receiver: self.0, companion, make: F::key }
    }
}

impl<S: ?Sized, F, Args, K> Bound<'_, S, F, Args, K> {
    /// The key that it makes.
    #[must_use]
    pub fn key(self, args: Args) -> K {
        (self.make)(self.companion, self.receiver, args)
    }
}

impl<S: ?Sized> fmt::Debug for Receiver<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

impl<S: ?Sized, F, Args, K> fmt::Debug for Bound<'_, S, F, Args, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").finish_non_exhaustive()
    }
}

/// `companion!(get_user_key_key or get_user_key, in self)`, `companion!(find_key_key or
/// Repo::find_key, of Repo::find_key_key)`: the companion of what the second name is, if it has
/// one, else that itself.
///
/// A name in an inner block hides that in an outer one, and what a type has itself hides what a
/// trait gives it.
#[doc(hidden)]
#[macro_export]
macro_rules! __companion {
    ($companion:ident or $itself:path, in $($module:tt)*) => {{
        #[allow(unused_variables)]
        let $companion = $itself;
        {
            #[allow(unused_imports)]
            use $($module)*::*;
            $companion
        }
    }};
    ($companion:ident or $itself:expr, of $($path:tt)*) => {{
        // Outside the block in which the trait could be suggested for a name that is misspelt.
        let itself = $itself;
        {
            #[allow(dead_code, non_upper_case_globals)]
            trait Otherwise {
                const $companion: $crate::__private::NoCompanion = $crate::__private::NoCompanion;
            }
            impl<T: ?$crate::__private::core::marker::Sized> Otherwise for T {}
            #[allow(unused_imports)]
            use $crate::__private::ItsCompanion as _;
            $crate::__private::OneOf($($path)*, itself).pick()
        }
    }};
}
