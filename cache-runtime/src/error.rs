//! What can go wrong, for those who ask: annotated functions never return an error of ours.

use std::fmt;

use crate::store::StoreError;

/// An operation on a [`Cache`](crate::Cache) that was asked for by hand and could not be done.
///
/// Annotated functions never fail with it unless they are told to, and then need `E: From<cache_runtime::Error>`: writes
/// with `fence = "strict"`, which are refused when the fence cannot be put up, and functions with `shed_after`, which are
/// refused when too many loads are under way. It never holds credentials, keys or values.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// The sort of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL or an option is malformed. The only error that a start-up can meet.
    Config,
    /// The store cannot be reached, or did not answer in time. The operation may have been executed all the same.
    Unavailable,
    /// The store answered, with a refusal: out of memory, read-only, no permission.
    Refused,
    /// The value could not be encoded.
    Codec,
    /// A function with `shed_after` was not run because too many loads are under way.
    Overloaded,
    /// Invalidations are still to be delivered.
    Undelivered,
    /// A shutdown was cut short: something in the background goes on.
    Unfinished,
    /// A `fence = "strict"` write was not begun because its fence could not be put up.
    Unfenced,
    /// The queue holds `max_len` items, and no room was made in time.
    Full,
    /// The item may be in the queue: the answer was lost, and could not be had before the push's time was over.
    InDoubt,
    /// The item is in the queue, but not on as many replicas as asked for.
    Unreplicated,
    /// The sink, which got the item directly, failed.
    Sink,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What sort of error it is.
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
