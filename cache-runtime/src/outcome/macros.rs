//! The macros by which expansions ask about return types; see the [module above](super).

/// `returns!(Type)`: the `Returns` of a read.
#[doc(hidden)]
#[macro_export]
macro_rules! __returns {
    ($ty:ty) => {{
        use $crate::__private::{NeverAbsent as _, Otherwise as _, Unshared as _};
        let answer = $crate::__private::Probe::<$ty>::NEW.shape();
        let sharing = $crate::__private::Probe::<$ty>::SHARING;
        $crate::__private::Returns::new(&answer, answer.is_absent(), sharing)
    }};
}

/// `errors!(Type, ttl)`: how the errors of a read are remembered.
#[doc(hidden)]
#[macro_export]
macro_rules! __errors {
    ($ty:ty, $ttl:expr) => {{
        use $crate::__private::{ErrorsCloned as _, ErrorsForgotten as _, ErrorsWritten as _};
        // Of what is true of the error the first counts: it can be written, it can be cloned, neither.
        (&&$crate::__private::Probe::<$ty>::NEW)
            .errors(|result: &$ty| $crate::__private::error_ttl(result, $ttl))
    }};
}

/// `batched!(Type)`: the `Batched` of a read of many.
#[doc(hidden)]
#[macro_export]
macro_rules! __batched {
    ($ty:ty) => {{
        use $crate::__private::{Otherwise as _, Unshared as _};
        let answer = $crate::__private::Probe::<$ty>::NEW.shape();
        $crate::__private::Batched::new(&answer, $crate::__private::Probe::<$ty>::SHARING)
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
        use $crate::__private::NeverAbsent as _;
        let key = $key;
        let is_absent = key.is_absent();
        $crate::__private::Through::new(key, is_absent)
    }};
}
