//! The table of an attribute's options: each is one row, which says all that parsing needs.

use syn::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::token::{Comma, Eq, EqEq};

use super::name::Name;
use super::unknown::{unknown, unnamed};
use crate::diagnostics::{Diagnostics, Reported, nearest};

/// The options of one attribute, or of one option that has options of its own. `A` is what their
/// values are kept in.
pub(super) struct Options<A: 'static>(pub(super) &'static [Row<A>]);

pub(super) struct Row<A> {
    pub(super) name: &'static str,
    /// How the option is written, for messages.
    pub(super) example: &'static str,
    pub(super) read: Read<A>,
}

/// Parses what follows the name of an option, and keeps it.
pub(super) type Read<A> = fn(&mut A, &Name, ParseStream<'_>, &Diagnostics) -> Result<(), Reported>;

impl<A> Options<A> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|row| row.name == name)
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|row| row.name).collect()
    }

    /// Whether an option follows: `name = ..`, or a lone name that is a flag or looks like one
    /// misspelt.
    pub(super) fn is_next(&self, input: ParseStream<'_>) -> bool {
        let ahead = input.fork();
        let Ok(name) = ahead.call(Ident::parse_any) else {
            return false;
        };
        let alone = ahead.is_empty() || ahead.peek(Comma);
        (alone && nearest(&name.to_string(), &self.names()).is_some())
            || (ahead.peek(Eq) && !ahead.peek(EqEq))
    }

    /// Parses the name of an option. Returns how to read what follows.
    pub(super) fn name(&self, input: ParseStream<'_>) -> syn::Result<(Name, Read<A>)> {
        let Ok(ident) = input.call(Ident::parse_any) else {
            return Err(unnamed(input, self.0.first().map(|row| (row.name, row.example))));
        };
        let text = ident.unraw().to_string();
        match self.0.iter().find(|row| row.name == text) {
            Some(row) => Ok((Name { ident, text, example: row.example }, row.read)),
            None => Err(unknown(&ident, &text, &self.names())),
        }
    }

    /// Parses an option into `args`.
    pub(super) fn read(
        &self,
        args: &mut A,
        input: ParseStream<'_>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        let (name, read) = self.name(input).map_err(|error| diagnostics.report(error))?;
        read(args, &name, input, diagnostics)
    }
}

/// Declares the struct of an attribute's options, and the table `OPTIONS` that fills it:
///
/// ```text
/// options! {
///     /// The options of `#[cached]`.
///     struct CachedArgs {
///         budget: Slot<Duration> = ("budget", r#"budget = "50ms""#, duration, setting);
///         text: String;
///     }
/// }
/// ```
///
/// A field may have several options, or none. Of each option there are the name, an example and the
/// function that parses what follows the name. `setting` says that the runtime has a method of that
/// name for the value.
///
/// Where the values belong to another struct there is a table alone, in which `[write.fence]` is
/// the place of a value.
macro_rules! options {
    (
        $(#[$about:meta])*
        struct $args:ident {
            $(
                $(#[$meta:meta])*
                $field:ident: $ty:ty $(= $(($name:literal, $($row:tt)+)),+)?;
            )+
        }
    ) => {
        $(#[$about])*
        #[derive(Default)]
        pub(crate) struct $args {
            $($(#[$meta])* pub(crate) $field: $ty,)+
        }

        impl $args {
            pub(super) const OPTIONS: $crate::attr::options::Options<Self> =
                $crate::attr::options::Options(&[
                    $($($(options!(@row $args [$field] $name, $($row)+),)+)?)+
                ]);
        }

        impl $crate::attr::setting::Settings for $args {
            fn settings(
                &self,
            ) -> Result<
                Vec<(&'static str, $crate::attr::setting::Setting<'_>)>,
                $crate::diagnostics::Reported,
            > {
                let all = [$($($(options!(@setting self.$field, $name, $($row)+),)+)?)+];
                all.into_iter().flatten().filter_map(Result::transpose).collect()
            }
        }
    };

    (
        $(#[$meta:meta])*
        $vis:vis const $table:ident of $args:ident {
            $($place:tt = $(($($row:tt)+)),+;)+
        }
    ) => {
        $(#[$meta])*
        $vis const $table: $crate::attr::options::Options<$args> =
            $crate::attr::options::Options(&[
                $($(options!(@row $args $place $($row)+),)+)+
            ]);
    };

    (@row $args:ident $place:tt
        $name:literal, $example:expr, $parse:path $(, $setting:ident)?
    ) => {
        $crate::attr::options::Row {
            name: $name,
            example: $example,
            read: |args: &mut $args, name, input, diagnostics| {
                let place = options!(@place args $place);
                let value = $parse(name, input);
                $crate::attr::argument::Argument::accept(place, name, value, diagnostics)
            },
        }
    };
    (@place $args:ident [$($place:ident).+]) => { &mut $args.$($place).+ };

    (@setting $self:ident . $field:ident, $name:literal, $example:expr, $parse:path) => { None };
    (@setting $self:ident . $field:ident, $name:literal, $example:expr, $parse:path, setting) => {
        Some($self.$field.setting($name))
    };
}

pub(super) use options;
