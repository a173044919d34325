//! What the type of a value can do beyond being stored: be cloned for the callers that wait for it,
//! be compared with what was read back.
//!
//! An inherent method of [`Answer`] that demands a trait shadows the method of the same name that a
//! trait provides for every `Answer`; what either returns is a type that knows how, or that does
//! without.

use crate::codec::Codec;
use crate::codec::fidelity::{self, Difference};
use crate::key::Key;
use crate::typing::{
    Answer, Answers, Cloned, Compare, Encoded, Equal, Hand, OfOne, ReturnType, Shared, Storable,
};

macro_rules! probes {
    ($(
        $(#[$doc:meta])*
        $method:ident: $able:ident if ($($bound:tt)+);
    )*) => {$(
        impl<R, Shape, V: $($bound)+> Answer<R, Shape, V> {
            $(#[$doc])*
            #[must_use]
            pub fn $method(&self) -> $able {
                $able
            }
        }
    )*};
}
probes! {
    /// Its values can be cloned.
    hand: Cloned if (Clone + Send + Sync + 'static);
    /// Its values can be compared.
    compare: Equal if (PartialEq);
    /// The value of each id can be cloned.
    hand_each: Cloned if (Answers<Value: Clone + Send + Sync + 'static>);
    /// The value of each id can be compared.
    compare_each: Equal if (Answers<Value: PartialEq>);
}

impl<T: PartialEq> Key<T> {
    /// The values of its entry can be compared.
    #[doc(hidden)]
    #[must_use]
    pub fn compare(&self) -> Equal {
        Equal
    }
}

/// What `Answer` and `Key` say where the type cannot do it.
pub trait Unable {
    /// Begins a question. So the import of this trait is used also where the type shadows all that
    /// follows.
    fn ask(&self) -> &Self {
        self
    }

    /// Values are decoded for each caller.
    fn hand(&self) -> Encoded {
        Encoded
    }

    /// Serde alone shows what differs.
    fn compare(&self) -> Encoded {
        Encoded
    }

    /// Values are decoded for each caller.
    fn hand_each(&self) -> Encoded {
        Encoded
    }

    /// Serde alone shows what differs.
    fn compare_each(&self) -> Encoded {
        Encoded
    }
}

impl<R, Shape, V> Unable for Answer<R, Shape, V> {}

impl<T> Unable for Key<T> {}

/// The same as functions of a return type `R` and the `V` that is stored of it.
pub(crate) struct Nature<R, V> {
    pub(crate) share: fn(&V) -> Option<Shared>,
    pub(crate) unshare: fn(&Shared) -> Option<R>,
    pub(crate) compare: fn(&V, Codec, &[u8]) -> Result<(), Difference>,
    /// The call is no function's.
    pub(crate) by_hand: bool,
}

impl<T: Storable> Nature<OfOne<T>, T> {
    /// Of one id of a batch.
    pub(crate) fn of_one<H: Hand<T>, C: Compare<T>>() -> Self {
        Self {
            share: H::share,
            unshare: |shared| H::unshare(shared).map(Ok),
            compare: |value, codec, payload| fidelity::compare(value, codec, payload, C::EQUAL),
            by_hand: false,
        }
    }
}

impl<R, V: Storable> Nature<R, V> {
    /// Of a return type with this shape.
    pub(crate) fn new<Shape, H: Hand<V>, C: Compare<V>>() -> Self
    where
        R: ReturnType<Shape, Value = V>,
    {
        Self {
            share: H::share,
            unshare: |shared| H::unshare(shared).map(R::from_value),
            compare: |value, codec, payload| fidelity::compare(value, codec, payload, C::EQUAL),
            by_hand: false,
        }
    }
}
