//! Errors of operations by hand. Annotated functions never return an error of ours.

use std::fmt;

use crate::store::StoreError;

/// The error of an operation on a [`Cache`](crate::Cache) or a [`Queue`](crate::Queue) by hand.
///
/// Annotated functions return it only if you ask for it, and then need `E: From<cache_runtime::Error>`: writes with
/// `fence = "strict"`, which are refused if the fence cannot be put up, and functions with `shed_after`, whose calls
/// are refused while too many loads are running. It never contains credentials, keys or values.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL or an option is malformed. This is the only error that can occur at startup.
    Config,
    /// The store cannot be reached, or did not answer in time. The operation may have been executed nevertheless.
    Unavailable,
    /// The store answered with a refusal: out of memory, read-only, no permission.
    Refused,
    /// The value could not be encoded.
    Codec,
    /// A call of a function with `shed_after` was refused because too many loads are running.
    Overloaded,
    /// Some invalidations have not been delivered yet.
    Undelivered,
    /// A shutdown reached its time limit: background work is still running.
    Unfinished,
    /// A write with `fence = "strict"` was not started because its fence could not be put up.
    Unfenced,
    /// The queue holds `max_len` items, and no room became free in time.
    Full,
    /// The item may or may not be in the queue: the answer was lost, and could not be obtained before the push timed
    /// out.
    InDoubt,
    /// The item is in the queue, but on fewer replicas than required.
    Unreplicated,
    /// The item went directly to the sink, which failed.
    Sink,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Down => {
                Self::new(ErrorKind::Unavailable, "the cache's store is not reachable")
            }
            StoreError::TimedOut => Self::new(
                ErrorKind::Unavailable,
                "the cache's store did not answer within its time budget",
            ),
            StoreError::Lost => Self::new(
                ErrorKind::Unavailable,
                "the connection to the cache's store was lost underway",
            ),
            StoreError::Refused(code) => Self::new(
                ErrorKind::Refused,
                format!("the cache's store refused the operation: {code}"),
            ),
            StoreError::Redirected(_) => Self::new(
                ErrorKind::Refused,
                "the cache's store is a node of a cluster, and another one has the key: connect to `redis+cluster://`",
            ),
            StoreError::Unexpected => Self::new(
                ErrorKind::Refused,
                "the cache's store gave a reply that the command does not give",
            ),
        }
    }
}
