//! Mistakes in the use of the library that only a running program shows: no cache is installed, a
//! value cannot be a part of a key or changes on its way through the cache, functions share entries
//! by accident or without being able to read them, two sinks have the same queue, an attribute uses
//! another cache than the function whose entries it names, a key made by hand has no time to live,
//! or a value is to be stored where there is none: under an alias.
//!
//! Such a mistake leaves the program running and not as it was meant, so it must not go unnoticed.
//! It is counted in the statistics of the function each time it is seen, and described in the log
//! once per function and kind. A test can have it panic instead:
//! [`CacheBuilder::panic_on_misuse`](crate::CacheBuilder::panic_on_misuse).

use std::env::{self, VarError};
use std::fmt;
use std::sync::LazyLock;

use crate::engine::Base;
use crate::metrics::Event;
use crate::policy::Callsite;
use crate::support::log;

/// The environment variable that says whether a misuse panics.
const MISUSE: &str = "CACHE_RUNTIME_MISUSE";

/// What was done wrong. Each kind has a bit of its own in `Reported`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Misuse {
    /// Another function makes the same key.
    SharedKey,
    /// A function shares entries with another and cannot read what that has stored.
    OtherSchema,
    /// Another sink has the same queue.
    SharedQueue,
    /// A function's entries are in another cache than the one in use.
    OtherCache,
    /// A value cannot be a part of a key.
    Unhashable,
    /// No cache is installed, and the task has none.
    NoCache,
    /// A value is not the same after it was encoded and decoded.
    AlteredValue,
    /// A value is to be stored under a key that was made by hand and says nothing of a time to
    /// live.
    WithoutTtl,
    /// A value is to be stored under the key of an alias, or of an entity that is one.
    StoredInAlias,
}

/// What is no mistake, but not what anybody expects either: described in the log once per function,
/// as misuses are, and not counted as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Oddity {
    /// What a write changes could not be read before it.
    UnknownBefore = 29,
    /// A loaded value is too large to be stored.
    Oversized = 30,
    /// A stored value is too large to be read.
    OversizedEntry = 31,
}

/// Counts a misuse by `function`, and describes it in the log if it is the first of its kind.
///
/// # Panics
///
/// Where the cache or the environment asks for that
/// ([`CacheBuilder::panic_on_misuse`](crate::CacheBuilder::panic_on_misuse)), each time; and where
/// the environment's wish is malformed.
pub(crate) fn report(
    cache: &Base,
    function: &'static Callsite,
    misuse: Misuse,
    description: fmt::Arguments<'_>,
) {
    cache.recorder().count(function, Event::Misused);
    let name = function.name();
    if function.reported().is_first(misuse as u32) {
        log::warn(format_args!("`{name}`: {description}"));
    }
    #[expect(clippy::panic, reason = "asked for by a setting that is for tests")]
    match cache.settings().panic_on_misuse.map_or_else(panics_by_environment, Ok) {
        Ok(false) => {}
        Ok(true) => panic!("`{name}`: {description}"),
        Err(malformed) => panic!("`{name}`: {description}; {malformed}"),
    }
}

/// Describes something odd about a function in the log, if it is the first of its kind.
pub(crate) fn remark(function: &'static Callsite, oddity: Oddity, description: fmt::Arguments<'_>) {
    if function.reported().is_first(oddity as u32) {
        log::warn(format_args!("`{}`: {description}", function.name()));
    }
}

/// Whether a misuse panics in caches whose builder has not decided it; an error if the variable is
/// malformed.
fn panics_by_environment() -> Result<bool, &'static str> {
    static PANICS: LazyLock<Result<bool, String>> = LazyLock::new(|| panics(&env::var(MISUSE)));
    PANICS.as_ref().copied().map_err(String::as_str)
}

fn panics(value: &Result<String, VarError>) -> Result<bool, String> {
    match value.as_deref() {
        Err(VarError::NotPresent) | Ok("" | "log") => Ok(false),
        Ok("panic") => Ok(true),
        _ => {
            Err(format!("the environment variable `{MISUSE}` is malformed: write `panic` or `log`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_the_variable_has_a_meaning() {
        assert_eq!(panics(&Ok("panic".to_owned())), Ok(true));
        assert_eq!(panics(&Ok("log".to_owned())), Ok(false));
        assert_eq!(panics(&Err(VarError::NotPresent)), Ok(false));
        assert!(panics(&Ok("yes".to_owned())).unwrap_err().contains("write `panic` or `log`"));
    }
}
