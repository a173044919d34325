//! What keeps an attribute that names no cache (`cache = ..`) from the entries of a function that
//! does.
//!
//! Such a function leaves [`NamesCache`] beside its companion, as a type of the companion's name or
//! as a constant. Where nothing was left, as beside a companion written by hand, [`Unnamed`] is
//! found instead.

/// The mark of a function that names a cache.
#[derive(Clone, Copy, Debug)]
pub struct NamesCache;

/// What is found where there is no mark.
#[derive(Clone, Copy, Debug)]
pub struct Unnamed;

/// A function whose entries are in the cache of the task that calls it, or in the installed one.
#[diagnostic::on_unimplemented(
    message = "this function names the cache that its entries are in, and this attribute names \
        none",
    label = "its entries are in another cache",
    note = "name the same cache in this attribute: `cache = ..`, as in the function's \
        `#[cached(..)]`"
)]
pub trait InAmbientCache {}

#[diagnostic::do_not_recommend]
impl InAmbientCache for Unnamed {}

/// Does not compile for a function that names a cache.
pub fn uses_its_cache<F: InAmbientCache>() {}

/// The same, of a constant.
pub fn uses_its_cache_of<F: InAmbientCache>(_: F) {}

/// `unnamed!(get_user_key in users)`, `unnamed!(__names_the_cache_of_find_key of
/// Self::__names_the_cache_of_find_key)`: does not compile for a function that names a cache.
///
/// A name in an inner block hides that in an outer one, and what a type has itself hides what a
/// trait gives it. So what is found where there is no mark never hides one. A module is searched by
/// `*`, since that is no error if there is no mark.
#[doc(hidden)]
#[macro_export]
macro_rules! __unnamed {
    ($companion:ident in $($module:tt)*) => {{
        #[allow(dead_code, non_camel_case_types)]
        type $companion = $crate::__private::Unnamed;
        {
            #[allow(unused_imports)]
            use $($module)*::*;
            $crate::__private::uses_its_cache::<$companion>()
        }
    }};
    ($name:ident of $($mark:tt)*) => {{
        #[allow(dead_code, non_upper_case_globals)]
        trait Otherwise {
            const $name: $crate::__private::Unnamed = $crate::__private::Unnamed;
        }
        impl<T: ?$crate::__private::core::marker::Sized> Otherwise for T {}
        $crate::__private::uses_its_cache_of($($mark)*)
    }};
}

/// `here!("get_user")`: the place of the function that this is written in, or whose companion it is
/// written in. `here!("get_user", "user_entry")`: the same in a companion of another name.
#[doc(hidden)]
#[macro_export]
macro_rules! __here {
    ($function:literal) => {
        $crate::__private::here!($function, $function)
    };
    ($function:literal, $item:literal) => {
        $crate::__private::Here::new(
            $function,
            $item,
            || $crate::__private::core::any::type_name_of_val(&|| ()),
            $crate::__private::core::option_env!("CARGO_BIN_NAME"),
        )
    };
}
