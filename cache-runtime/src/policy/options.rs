//! The table of a site's options: each is one row, which declares a field, what applies where an
//! attribute says nothing, and the methods that attributes call.

/// Declares the struct of the options that are the field `$field` of the site `$site`, and the
/// methods of the site that set them:
///
/// ```text
/// options! {
///     /// The options of a cached function.
///     struct Policy in Callsite.policy;
///
///     /// How long a call may be held up by the store.
///     budget: Option<Duration> = None, Some(positive(budget_ms, "budget = \"50ms\""));
/// }
/// ```
///
/// What stands behind the default says how a method makes the field of its argument:
///
/// | | argument | field |
/// |---|---|---|
/// | `value` | the field's type | as it is |
/// | `Some(value: T)` | `T` | `Some` of it |
/// | `at_least_one` | the field's type | at least 1 |
/// | `capped(name_ms)` | `Duration`; in `name_ms`, milliseconds | at most the longest that counts |
/// | `positive(name_ms, example)` | the same | the same |
/// | `Some(capped(..))`, `Some(positive(..))` | the same | `Some` of it |
/// | `flag(method)` | none | the opposite of the default |
/// | `by_hand` | | the method, if there is one, is written by hand |
///
/// A `positive` duration of less than a millisecond does not compile, and rustc points at the
/// attribute (`track_caller`).
macro_rules! options {
    (
        $(#[$about:meta])*
        struct $options:ident in $site:ident.$place:ident;
        $(
            $(#[$meta:meta])*
            $name:ident: $ty:ty = $default:expr, $kind:ident $(($($argument:tt)+))?;
        )+
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $options {
            $($(#[$meta])* pub(crate) $name: $ty,)+
        }

        impl $options {
            /// What applies where an attribute says nothing.
            pub(in crate::policy) const DEFAULT: Self = Self { $($name: $default,)+ };
        }

        impl $site {
            $(options! {
                @methods $kind $(($($argument)+))? [$(#[$meta])*] $place.$name: $ty = $default
            })+
        }
    };

    (@methods by_hand $($rest:tt)*) => {};

    (@methods value [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr) => {
        $($doc)*
        #[must_use]
        pub const fn $name(mut self, $name: $ty) -> Self {
            self.$place.$name = $name;
            self
        }
    };

    (@methods Some(value: $value:ty)
        [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr
    ) => {
        $($doc)*
        #[must_use]
        pub const fn $name(mut self, $name: $value) -> Self {
            self.$place.$name = Some($name);
            self
        }
    };

    (@methods at_least_one [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr) => {
        $($doc)*
        #[must_use]
        pub const fn $name(mut self, $name: $ty) -> Self {
            self.$place.$name = if $name == 0 { 1 } else { $name };
            self
        }
    };

    (@methods capped($ms:ident)
        [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr
    ) => {
        $($doc)*
        #[must_use]
        pub const fn $name(mut self, $name: Duration) -> Self {
            self.$place.$name = capped($name);
            self
        }

        /// The same, in milliseconds.
        #[must_use]
        pub const fn $ms(self, $name: u64) -> Self {
            self.$name(Duration::from_millis($name))
        }
    };

    (@methods Some(capped($ms:ident))
        [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr
    ) => {
        $($doc)*
        #[must_use]
        pub const fn $name(mut self, $name: Duration) -> Self {
            self.$place.$name = Some(capped($name));
            self
        }

        /// The same, in milliseconds.
        #[must_use]
        pub const fn $ms(self, $name: u64) -> Self {
            self.$name(Duration::from_millis($name))
        }
    };

    (@methods positive($ms:ident, $example:literal)
        [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr
    ) => {
        $($doc)*
        #[must_use]
        #[track_caller]
        pub const fn $name(mut self, $name: Duration) -> Self {
            self.$place.$name = positive($name, options!(@too_short $name $example));
            self
        }

        /// The same, in milliseconds.
        #[must_use]
        pub const fn $ms(self, $name: u64) -> Self {
            self.$name(Duration::from_millis($name))
        }
    };

    (@methods Some(positive($ms:ident, $example:literal))
        [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr
    ) => {
        $($doc)*
        #[must_use]
        #[track_caller]
        pub const fn $name(mut self, $name: Duration) -> Self {
            self.$place.$name = Some(positive($name, options!(@too_short $name $example)));
            self
        }

        /// The same, in milliseconds.
        #[must_use]
        pub const fn $ms(self, $name: u64) -> Self {
            self.$name(Duration::from_millis($name))
        }
    };

    (@methods flag($method:ident)
        [$($doc:tt)*] $place:ident.$name:ident: $ty:ty = $default:expr
    ) => {
        $($doc)*
        #[must_use]
        pub const fn $method(mut self) -> Self {
            self.$place.$name = !$default;
            self
        }
    };

    (@too_short $name:ident $example:literal) => {
        concat!(
            "`",
            stringify!($name),
            "` is less than a millisecond: write how long, as in `",
            $example,
            "`"
        )
    };
}

pub(crate) use options;
