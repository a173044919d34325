//! The macros by which expansions ask about return types; see the [module above](super).

/// `returns!(Type)`: the `Returns` of a read.
///
/// `as open` is for a type that may not be `'static`, of which nothing can be kept for other
/// callers.
#[doc(hidden)]
#[macro_export]
macro_rules! __returns {
    ($ty:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::{
            LacksBoth as _, LacksDeserialize as _, LacksNothing as _, LacksSerialize as _,
            NeverAbsent as _, Otherwise as _, Unable as _,
        };
        let answer = $crate::__private::Probe::<$ty>::NEW.shape();
        let sharing = $crate::__sharing!($ty);
        let (hand, compare) = (answer.ask().hand(), answer.compare());
        (&&&&answer).returns(answer.is_absent(), sharing, hand, compare)
    }};
    ($ty:ty as open) => {{
        #[allow(unused_imports)]
        use $crate::__private::{
            LacksBoth as _, LacksDeserialize as _, LacksNothing as _, LacksSerialize as _,
            NeverAbsent as _, Otherwise as _, Unable as _,
        };
        let answer = $crate::__private::Probe::<$ty>::NEW.shape();
        let sharing = $crate::__sharing!($ty);
        let (hand, compare) = ($crate::__private::Encoded, answer.ask().compare());
        (&&&&answer).returns(answer.is_absent(), sharing, hand, compare)
    }};
}

/// `owned!(Type)`: does not compile if the type has a lifetime that is not written, as `Title` of
/// `struct Title<'a>`. In the function's signature it would be that of an argument; here there is
/// none, and rustc says where it is missing.
#[doc(hidden)]
#[macro_export]
macro_rules! __owned {
    ($ty:ty) => {
        #[allow(clippy::type_complexity)]
        let _: $crate::__private::core::option::Option<fn() -> $ty> =
            $crate::__private::core::option::Option::None;
    };
}

/// `sharing!(Type)`: how the errors of a read reach the callers that waited for it.
#[doc(hidden)]
#[macro_export]
macro_rules! __sharing {
    ($ty:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::{
            SharesByRef as _, SharesClones as _, SharesError as _, SharesText as _, Unshared as _,
        };
        (&&&&$crate::__private::Probe::<$ty>::NEW).sharing()
    }};
}

/// `errors!(Type, ttl)`: how the errors of a read are remembered.
#[doc(hidden)]
#[macro_export]
macro_rules! __errors {
    ($ty:ty, $ttl:expr) => {{
        use $crate::__private::{ErrorsCloned as _, ErrorsForgotten as _, ErrorsWritten as _};
        // Of what is true of the error the first counts: it can be written and compared, it can be
        // written, it can be cloned, neither.
        (&&&$crate::__private::Probe::<$ty>::NEW)
            .errors(|result: &$ty| $crate::__private::error_ttl(result, $ttl))
    }};
}

/// `batched!(Type)`: the `Batched` of a read of many.
#[doc(hidden)]
#[macro_export]
macro_rules! __batched {
    ($ty:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::{
            EachLacksBoth as _, EachLacksDeserialize as _, EachLacksNothing as _,
            EachLacksSerialize as _, Otherwise as _, Unable as _,
        };
        let answer = $crate::__private::Probe::<$ty>::NEW.shape();
        let sharing = $crate::__sharing!($ty);
        let (hand, compare) = (answer.ask().hand_each(), answer.compare_each());
        (&&&&answer).batched(sharing, hand, compare)
    }};
    ($ty:ty as open) => {{
        #[allow(unused_imports)]
        use $crate::__private::{
            EachLacksBoth as _, EachLacksDeserialize as _, EachLacksNothing as _,
            EachLacksSerialize as _, Otherwise as _, Unable as _,
        };
        let answer = $crate::__private::Probe::<$ty>::NEW.shape();
        let sharing = $crate::__sharing!($ty);
        let (hand, compare) = ($crate::__private::Encoded, answer.ask().compare_each());
        (&&&&answer).batched(sharing, hand, compare)
    }};
}

/// `outcome!(Type)`: the `Written` of a write.
///
/// `_ as plain` is for `impl Trait`, about which nothing can be asked.
#[doc(hidden)]
#[macro_export]
macro_rules! __outcome {
    ($ty:ty) => {{
        use $crate::__private::Otherwise as _;
        $crate::__private::Written::new(&$crate::__private::Probe::<$ty>::NEW.shape())
    }};
    ($ty:ty as plain) => {{
        let answer = $crate::__private::Otherwise::shape($crate::__private::Probe::<$ty>::NEW);
        $crate::__private::Written::new(&answer)
    }};
}

/// `strict!(Type)`: the `Written` of a write with `fence = "strict"`.
#[doc(hidden)]
#[macro_export]
macro_rules! __strict {
    ($ty:ty) => {{
        use $crate::__private::Otherwise as _;
        $crate::__private::Written::strict(&$crate::__private::Probe::<$ty>::NEW.shape())
    }};
    ($ty:ty as plain) => {{
        let answer = $crate::__private::Otherwise::shape($crate::__private::Probe::<$ty>::NEW);
        $crate::__private::Written::strict(&answer)
    }};
}

/// `value!(Type)`, as a type: what a function that returns `Type` stores.
///
/// A type with generics in it cannot be asked here; `as result` says what its spelling tells.
#[doc(hidden)]
#[macro_export]
macro_rules! __value {
    ($ty:ty) => {
        $crate::__private::Value<
            $ty,
            { use $crate::__private::Otherwise as _; $crate::__private::Probe::<$ty>::KIND },
        >
    };
    ($ty:ty as result) => {
        $crate::__private::Value<$ty, 1>
    };
}

/// `through!(key)`: the `Through` of an entry that a write stores a value in.
#[doc(hidden)]
#[macro_export]
macro_rules! __through {
    ($key:expr) => {{
        use $crate::__private::{NeverAbsent as _, Unable as _};
        let key = $key;
        let (is_absent, compare) = (key.is_absent(), key.ask().compare());
        $crate::__private::Through::new(key, is_absent, compare)
    }};
}

/// `former!(output)`: the state that a write has read before its body, if there was any.
#[doc(hidden)]
#[macro_export]
macro_rules! __former {
    ($output:expr) => {{
        #[allow(unused_imports)]
        use $crate::__private::{Certain as _, Present as _};
        $crate::__private::former($output).told().state()
    }};
}
