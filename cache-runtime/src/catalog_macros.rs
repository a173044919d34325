//! The macro by which expansions enter the catalogue. Whether there is one is known here, and not in the user's crate.

/// `catalog! { site }`: gathers a site.
#[cfg(feature = "catalog")]
#[doc(hidden)]
#[macro_export]
macro_rules! __catalog {
    ($site:expr) => {
        $crate::__private::inventory::submit! { $site }
    };
}

/// `catalog! { site }`: nothing.
#[cfg(not(feature = "catalog"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __catalog {
    ($site:expr) => {};
}
