//! What a type lacks that cannot be stored and read back: one message, which says whether it is one
//! thing or both.
//!
//! As in [`parameters`](crate::typing::parameters), each question is a trait of one method,
//! implemented for a different number of references to [`Answer`], of which the compiler takes the
//! first that a type has.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::typing::bounds::{ReadBack, Storable, Writable};
use crate::typing::{Answer, Compare, Hand, IsAbsent, ReturnType, Returns, Sharing};

macro_rules! questions {
    ($($(#[$doc:meta])* $question:ident for $asked:ty: [$($has:tt)*] needs $needed:path;)*) => {$(
        $(#[$doc])*
        pub trait $question<R, Shape, V> {
            /// Everything a read must know of the type.
            fn returns<H: Hand<V>, C: Compare<V>>(
                &self,
                is_absent: IsAbsent<V>,
                sharing: Sharing<R>,
                hand: H,
                compare: C,
            ) -> Returns<R, V>
            where
                R: ReturnType<Shape, Value = V>,
                V: $needed;
        }

        impl<R, Shape, V: $($has)*> $question<R, Shape, V> for $asked {
            fn returns<H: Hand<V>, C: Compare<V>>(
                &self,
                is_absent: IsAbsent<V>,
                sharing: Sharing<R>,
                hand: H,
                compare: C,
            ) -> Returns<R, V>
            where
                R: ReturnType<Shape, Value = V>,
                V: $needed,
            {
                Returns::new(self, is_absent, sharing, hand, compare)
            }
        }
    )*};
}

questions! {
    /// Of a type that lacks nothing.
    LacksNothing for &&&Answer<R, Shape, V>: [Serialize + DeserializeOwned] needs Storable;
    /// Of a type that can be written, and lacks the rest if it lacks anything.
    LacksDeserialize for &&Answer<R, Shape, V>: [Serialize] needs ReadBack;
    /// Of a type that can be read, and lacks the rest if it lacks anything.
    LacksSerialize for &Answer<R, Shape, V>: [DeserializeOwned] needs Writable;
    /// Of every type.
    LacksBoth for Answer<R, Shape, V>: [] needs Storable;
}
