//! The macro by which expansions enter the catalogue. Whether there is one is known here, and not
//! in the user's crate.

/// `catalog! { site }`: gathers a site. `catalog! { site, User }`: one that names a type.
#[cfg(feature = "catalog")]
#[doc(hidden)]
#[macro_export]
macro_rules! __catalog {
    ($site:expr $(, $ty:ty)?) => {
        $crate::__private::inventory::submit! { $site }
    };
}

/// `catalog! { site }`: nothing. `catalog! { site, User }`: compiles where the catalogue would.
///
/// An item cannot name a type parameter of the `impl` block around it. A function whose value
/// depends on one, while its key does not, must not compile in a build without the catalogue
/// either.
#[cfg(not(feature = "catalog"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __catalog {
    ($site:expr) => {};
    ($site:expr, $ty:ty) => {
        #[allow(clippy::type_complexity)]
        const _: $crate::__private::core::option::Option<fn() -> $ty> =
            $crate::__private::core::option::Option::None;
    };
}
