//! Whether what a key leaves out is data: asked of the compiler, where a name alone does not tell.
//!
//! A type is data if it is, behind its references, [`KeyPart`], `Copy`, `Hash` or `Serialize`. No
//! bound can say "none of these". Instead each question is a trait of one method, implemented for a
//! different number of references to
//! [`Asked`]: of those that a type has, the compiler takes the first, and the last one is for
//! every type. Of a type
//! parameter it knows only the bounds.

use std::hash::Hash;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use crate::key::KeyPart;

/// The type that is asked about.
#[derive(Debug)]
pub struct Asked<T: ?Sized>(PhantomData<fn(&T)>);

/// Asks about the type of a value.
#[must_use]
pub fn asked<T: ?Sized>(_: &T) -> Asked<T> {
    Asked(PhantomData)
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: ?Sized> Asked<$pointer> {
            /// What it points to.
            #[must_use]
            pub fn behind(self) -> Asked<T> {
                Asked(PhantomData)
            }
        }
    )*};
}

pointers!(&T, &mut T, Arc<T>, Box<T>, Rc<T>, Pin<&T>, Pin<&mut T>, Pin<Arc<T>>, Pin<Box<T>>);

/// What is no pointer.
pub trait Itself: Sized {
    /// Nothing is behind it.
    #[must_use]
    fn behind(self) -> Self {
        self
    }
}

impl<T: ?Sized> Itself for Asked<T> {}

/// The answer that `T` is data.
#[derive(Debug)]
pub struct Data<T: ?Sized>(PhantomData<fn(&T)>);

/// The answer that nothing makes it data.
#[derive(Debug)]
pub struct NoData;

macro_rules! questions {
    ($($question:ident: $bound:path { $asked:ty })*) => {$(
        #[doc = concat!("`", stringify!($bound), "` makes a type data.")]
        pub trait $question {
            /// The type.
            type Of: ?Sized;

            /// It is data.
            fn kind(&self) -> Data<Self::Of> {
                Data(PhantomData)
            }
        }

        impl<T: $bound + ?Sized> $question for $asked {
            type Of = T;
        }
    )*};
}

questions! {
    AskedKeyPart: KeyPart { &&&&Asked<T> }
    AskedCopy: Copy { &&&Asked<T> }
    AskedHash: Hash { &&Asked<T> }
    AskedSerialize: Serialize { &Asked<T> }
}

/// Of every type.
pub trait AskedNothing {
    /// It is not data.
    fn kind(&self) -> NoData {
        NoData
    }
}

impl<T: ?Sized> AskedNothing for Asked<T> {}

impl NoData {
    /// A key may leave out a parameter of this type.
    pub fn handle(self) {}

    /// A key may leave out a `self` of this type.
    pub fn receiver(self) {}

    /// A key may leave out a field of `self` of this type.
    pub fn field(self) {}
}

// No type implements the traits: the compiler refuses each call, with the message of its trait.
#[expect(clippy::unused_self, reason = "an answer is asked for its verdict, whichever it is")]
impl<T: ?Sized> Data<T> {
    /// A key may not leave out a parameter of this type.
    pub fn handle(self)
    where
        T: Handle,
    {
    }

    /// A key may not leave out a `self` of this type.
    pub fn receiver(self)
    where
        T: ReceiverLeftOut,
    {
    }

    /// A key may not leave out a field of `self` of this type that the body uses.
    pub fn field(self)
    where
        T: Field,
    {
    }
}

/// A type that is not data, though its name is that of a handle.
#[diagnostic::on_unimplemented(
    message = "this parameter is not part of the key, so calls that differ only in it would share \
               one value: in spite of its name, `{Self}` is data",
    label = "put it into the key, as `<name>`, `<name.field>` or `<name:hash>`, or write \
             `skip(name)` if it does not decide the result",
    note = "what is, behind its references, `KeyPart`, `Copy`, `Hash` or `serde::Serialize` is data"
)]
pub trait Handle {}

/// A type that is not data, of `self`.
#[diagnostic::on_unimplemented(
    message = "`self` is not part of the key, so calls on different values would share one: \
        `{Self}` is data",
    label = "give a `key` with a field of it, such as `<self.id>`, or write `skip(self)` if it \
        does not decide the result",
    note = "what is, behind its references, `KeyPart`, `Copy`, `Hash` or `serde::Serialize` is data"
)]
pub trait ReceiverLeftOut {}

/// A type that is not data, of a field of `self`.
#[diagnostic::on_unimplemented(
    message = "this field of `self` is not part of the key, so calls that differ only in it would \
               share one value: `{Self}` is data",
    label = "give a `key` with `<self.field>`, for this field, or write `skip(self)` if it does \
        not decide the result",
    note = "what is, behind its references, `KeyPart`, `Copy`, `Hash` or `serde::Serialize` is data"
)]
pub trait Field {}

/// `left_out!(db, handle)`, `left_out!(self, receiver)`, `left_out!(self.tenant, field)`: refuses
/// what is data.
#[doc(hidden)]
#[macro_export]
macro_rules! __left_out {
    ($value:expr, $verdict:ident) => {
        if false {
            // Outside the block with the imports, in which the caller's names could mean something
            // else.
            let asked = $crate::__private::asked(&$value);
            {
                use $crate::__private::{
                    AskedCopy as _, AskedHash as _, AskedKeyPart as _, AskedNothing as _,
                    AskedSerialize as _, Itself as _,
                };
                (&&&&&asked.behind().behind().behind().behind()).kind().$verdict();
            }
        }
    };
}
