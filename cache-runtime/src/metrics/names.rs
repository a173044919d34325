//! Enums whose values have names, as labels have them.

/// An enum, all its values, and their names. Whoever uses this imports `fmt` and `Serialize`.
macro_rules! names {
    (
        $(#[$doc:meta])*
        $visibility:vis enum $kind:ident {
            $($(#[$of:meta])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        $visibility enum $kind {
            $($(#[$of])* $variant,)*
        }

        impl $kind {
            /// All of them.
            $visibility const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The value of its label.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(super) use names;
