//! The switches for tests and CI: environment variables, each read once, when it is first needed.

use std::env::{self, VarError};
use std::sync::LazyLock;

use crate::engine::{Core, Settings};

/// Which cache functions use that name none.
const CACHE: &str = "CACHE_RUNTIME";

/// What `CACHE_RUNTIME` says.
#[derive(Debug)]
pub(crate) enum Switch {
    /// Nothing: it is not set, or empty.
    Unset,
    /// `off`: nothing is cached.
    Off,
    /// `require`: a call that finds no cache panics.
    Require,
    /// A URL: the cache of calls that find none.
    Fallback(Core),
    /// Something else, with the message that says so.
    Malformed(String),
}

impl Switch {
    /// The value that the variable has at the first call of this process.
    pub(crate) fn get() -> &'static Self {
        static SWITCH: LazyLock<Switch> = LazyLock::new(|| Switch::of(&env::var(CACHE)));
        &SWITCH
    }

    fn of(value: &Result<String, VarError>) -> Self {
        // No message quotes the value, which may hold a password.
        let malformed = |wrong: &str| {
            let choices =
                "write `off`, `require`, or a URL such as `memory:` or `redis://127.0.0.1`";
            Self::Malformed(format!(
                "the environment variable `{CACHE}` is malformed: {choices} ({wrong})"
            ))
        };
        match value.as_deref() {
            Err(VarError::NotPresent) | Ok("") => Self::Unset,
            Ok("off") => Self::Off,
            Ok("require") => Self::Require,
            Ok(url) if url.contains(':') => match Core::connect(url, Settings::default()) {
                Ok(cache) => Self::Fallback(cache),
                Err(error) => malformed(&error.to_string()),
            },
            Ok(_) => malformed("it is none of these words, and no URL"),
            Err(VarError::NotUnicode(_)) => malformed("it is not UTF-8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(value: &str) -> Switch {
        Switch::of(&Ok(value.to_owned()))
    }

    #[test]
    fn every_value_has_a_meaning() {
        assert!(matches!(Switch::of(&Err(VarError::NotPresent)), Switch::Unset));
        assert!(matches!(switch(""), Switch::Unset));
        assert!(matches!(switch("off"), Switch::Off));
        assert!(matches!(switch("require"), Switch::Require));
        assert!(matches!(switch("memory:"), Switch::Fallback(_)));
        assert!(matches!(switch("redis://127.0.0.1:1"), Switch::Fallback(_)));
    }

    /// Also where a password is in a place that no URL has.
    #[test]
    fn a_malformed_value_is_described_and_not_quoted() {
        for value in [
            "Off",
            "true",
            "secret",
            "secret@host",
            "redis:secret@host",
            "redis://user:secret@",
            "redis://user:secret@host:port",
            "http://secret",
            "memory:secret",
        ] {
            let Switch::Malformed(message) = switch(value) else { panic!("{value}") };
            assert!(message.contains("`CACHE_RUNTIME` is malformed: write `off`"), "{message}");
            assert!(!message.contains("secret") && !message.contains("true"), "{message}");
        }
    }
}
