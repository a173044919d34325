//! Why the store cannot be used, in words that a program can tell apart.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Serialize;

use crate::support::log;

/// Why the store cannot be used, or refused something; from [`Error::cause`](crate::Error::cause),
/// [`Stats::last_failure`](crate::Stats::last_failure) and the log.
///
/// The texts are those of the system, of the TLS library or of the server. They have a limited
/// length and contain no credentials, keys or values: what looks like one is replaced by `…`.
///
/// ```no_run
/// use cache_runtime::error::Cause;
/// use cache_runtime::Cache;
///
/// # async fn check(cache: &Cache) {
/// if let Err(error) = cache.ping().await {
///     match error.cause() {
///         Some(Cause::NobodyListens | Cause::UnknownHost(_)) => {
///             println!("is the address right? {error}");
///         }
///         Some(Cause::NoPassword(_) | Cause::WrongPassword(_)) => {
///             println!("is the password right? {error}");
///         }
///         _ => println!("nothing is cached for now: {error}"),
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The host has no address, or nobody who knows it can be asked.
    UnknownHost(String),
    /// The host is there, and nobody listens on the port.
    NobodyListens,
    /// The host, or the Unix socket, cannot be reached for another reason.
    Unreachable(String),
    /// TLS: the certificate is not trusted or is for another host, or the server speaks no TLS.
    Tls(String),
    /// No answer in time.
    TimedOut,
    /// The server is not at fault: so many commands of this process were in flight
    /// ([`max_in_flight`](crate::CacheBuilder::max_in_flight)) that this one's turn did not come in
    /// time.
    Saturated,
    /// The server closed the connection before the cache was logged in, for example because it has
    /// too many clients.
    Closed,
    /// The connection was lost after it had been used.
    Lost,
    /// The server wants a password, and the URL has none.
    NoPassword(Refusal),
    /// The server does not accept the user or the password of the URL.
    WrongPassword(Refusal),
    /// The server has no database of the number in the URL.
    UnknownDatabase(Refusal),
    /// The server refused something else. The code tells what: `NOPERM`, `OOM`, `MISCONF`,
    /// `READONLY`, …
    Refused(Refusal),
    /// The servers are not what the URL says: no cluster, no primary that the sentinels know of.
    Topology(&'static str),
    /// What answers does not speak Redis's protocol, or mixes up its replies.
    Protocol(&'static str),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownHost(words) => write!(f, "the host is not known ({words})"),
            Self::NobodyListens => f.write_str("connection refused"),
            Self::Unreachable(words) => write!(f, "it cannot be reached ({words})"),
            Self::Tls(words) => f.write_str(words),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Saturated => f.write_str("too many commands in flight"),
            Self::Closed => f.write_str("connection closed"),
            Self::Lost => f.write_str("connection lost"),
            Self::NoPassword(refusal) => write!(f, "a password is missing ({refusal})"),
            Self::WrongPassword(refusal) => write!(f, "wrong user or password ({refusal})"),
            Self::UnknownDatabase(refusal) => write!(f, "no such database ({refusal})"),
            Self::Refused(refusal) => write!(f, "refused with {refusal}"),
            Self::Topology(what) | Self::Protocol(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Cause {}

impl Cause {
    /// The server's refusal, if that is the cause.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::NoPassword(refusal)
            | Self::WrongPassword(refusal)
            | Self::UnknownDatabase(refusal)
            | Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        match refusal.code() {
            "NOAUTH" => Self::NoPassword(refusal),
            "WRONGPASS" => Self::WrongPassword(refusal),
            _ => Self::Refused(refusal),
        }
    }
}

/// An error of the server, in its own words.
///
/// Two refusals with the same code are equal: the words are for people.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    code: String,
    words: String,
}

impl Refusal {
    pub(crate) fn new(code: impl Into<String>, words: impl Into<String>) -> Self {
        Self { code: code.into(), words: words.into() }
    }

    /// The first word of the error, such as `NOPERM`. `ERR` says nothing by itself.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The rest of the error, without the parts that may be credentials, keys or values. Empty if
    /// nothing is left.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if self.words.is_empty() { Ok(()) } else { write!(f, " {}", self.words) }
    }
}

impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Refusal {}

impl Hash for Refusal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code.hash(state);
    }
}

impl PartialEq<str> for Refusal {
    fn eq(&self, code: &str) -> bool {
        self.code == code
    }
}

/// The latest failure of a store: [`Stats::last_failure`](crate::Stats::last_failure).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// What failed.
    pub cause: Cause,
    /// When, by the clock of this process.
    pub at: SystemTime,
}

/// The latest failure of a store, and how outages are logged.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    latest: Mutex<Option<Failure>>,
    /// The program is about to end.
    ending: AtomicBool,
}

impl Failures {
    pub(crate) fn note(&self, cause: Cause) {
        *self.latest() = Some(Failure { cause, at: SystemTime::now() });
    }

    pub(crate) fn last(&self) -> Option<Failure> {
        self.latest().clone()
    }

    /// The program is about to end: that a server goes away, perhaps together with it, is nothing
    /// to be warned of.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Logs that the cache goes on without a server.
    pub(crate) fn tell(&self, server: impl fmt::Display, cause: &Cause) {
        let event = format_args!("{server}: {cause}; going without it");
        if self.ending.load(Ordering::Relaxed) { log::info(event) } else { log::warn(event) }
    }

    fn latest(&self) -> MutexGuard<'_, Option<Failure>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
