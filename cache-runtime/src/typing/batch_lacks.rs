//! What the values of a batch lack that cannot be stored and read back, as `outcome` asks it of a
//! single read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::typing::batch_answers::{Answers, Batched, HeldBy, SameId};
use crate::typing::{Answer, Compare, Hand, ReadBack, ReturnType, Sharing, Storable, Writable};

macro_rules! questions {
    ($(
        $(#[$doc:meta])*
        $question:ident for $asked:ty: [$($has:tt)*] needs [$($needed:tt)*];
    )*) => {$(
        $(#[$doc])*
        pub trait $question<R, Shape, A> {
            /// Everything a batch must know of the type.
            fn batched<I, T, H, C>(
                &self,
                sharing: Sharing<R>,
                hand: H,
                compare: C,
            ) -> Batched<R, I, T>
            where
                R: ReturnType<Shape, Value = A>,
                A: Answers<Value: HeldBy<T>>,
                I: SameId<A::Id>,
                T: $($needed)*,
                H: Hand<T>,
                C: Compare<T>;
        }

        impl<R, Shape, A: $($has)*> $question<R, Shape, A> for $asked {
            fn batched<I, T, H, C>(
                &self,
                sharing: Sharing<R>,
                hand: H,
                compare: C,
            ) -> Batched<R, I, T>
            where
                R: ReturnType<Shape, Value = A>,
                A: Answers<Value: HeldBy<T>>,
                I: SameId<A::Id>,
                T: $($needed)*,
                H: Hand<T>,
                C: Compare<T>,
            {
                Batched::new(self, sharing, hand, compare)
            }
        }
    )*};
}

questions! {
    /// Of values that lack nothing.
    EachLacksNothing for &&&Answer<R, Shape, A>:
        [Answers<Value: Serialize + DeserializeOwned>] needs [Storable];
    /// Of values that can be written, and lack the rest if they lack anything.
    EachLacksDeserialize for &&Answer<R, Shape, A>:
        [Answers<Value: Serialize>] needs [Serialize + ReadBack];
    /// Of values that can be read, and lack the rest if they lack anything.
    EachLacksSerialize for &Answer<R, Shape, A>:
        [Answers<Value: DeserializeOwned>] needs [DeserializeOwned + Writable];
    /// Of every type.
    EachLacksBoth for Answer<R, Shape, A>: [] needs [Storable];
}
