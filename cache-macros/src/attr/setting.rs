//! Options whose values the runtime takes as they are.

use proc_macro2::Span;
use syn::Ident;

use super::duration::Duration;
use crate::diagnostics::Reported;

/// Options of which some are settings.
pub(crate) trait Settings {
    /// Those that are given, each with its name.
    fn settings(&self) -> Result<Vec<(&'static str, Setting<'_>)>, Reported>;
}

/// The value of an option that the builder of a call site, or of a queue, takes in a method of the
/// option's name.
pub(crate) enum Setting<'a> {
    Flag,
    Count(u64),
    Number(f64),
    Duration(&'a Duration),
    /// A variant of `Codec`.
    Codec(&'a Ident),
}

impl From<&()> for Setting<'_> {
    fn from((): &()) -> Self {
        Self::Flag
    }
}

/// A flag that remembers where it stands.
impl From<&Span> for Setting<'_> {
    fn from(_: &Span) -> Self {
        Self::Flag
    }
}

impl From<&u32> for Setting<'_> {
    fn from(&count: &u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<&u64> for Setting<'_> {
    fn from(&count: &u64) -> Self {
        Self::Count(count)
    }
}

impl From<&f64> for Setting<'_> {
    fn from(&number: &f64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a Duration> for Setting<'a> {
    fn from(duration: &'a Duration) -> Self {
        Self::Duration(duration)
    }
}

impl<'a> From<&'a Ident> for Setting<'a> {
    fn from(codec: &'a Ident) -> Self {
        Self::Codec(codec)
    }
}
