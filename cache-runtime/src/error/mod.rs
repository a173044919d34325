//! Errors of operations by hand, which annotated functions return only where they ask for it, and
//! why a store fails.

mod cause;
mod shared;

use std::fmt;

pub(crate) use self::cause::Failures;
pub use self::cause::{Cause, Failure, Refusal};
pub use self::shared::SharedError;

/// The error of an operation on a [`Cache`](crate::Cache) or a [`Queue`](crate::Queue) by hand.
///
/// Annotated functions return it only if you ask for it, and then need `E:
/// From<cache_runtime::Error>`: writes with `fence = "strict"`, which are refused if the fence
/// cannot be put up, functions with `shed_after`, whose calls are refused while too many loads are
/// running, and functions with `strict_values`, for values that would come back as other ones. It
/// never contains credentials, keys or values.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    cause: Option<Cause>,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL or an option is malformed. This is the only error that can occur at startup. Or a
    /// value is to be stored under a key that was made by hand and has no time to live.
    Config,
    /// The store cannot be reached, or did not answer in time. The operation may have been executed
    /// nevertheless.
    Unavailable,
    /// The store answered with a refusal: out of memory, read-only, no permission.
    Refused,
    /// The value could not be encoded, or one in the key could not be hashed.
    Codec,
    /// The value or the item would come back as another one: serde leaves out or changes a part of
    /// it. From a function with `strict_values`, and from operations by hand.
    Altered,
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
    /// The item may or may not be in the queue: the answer was lost, and could not be obtained
    /// before the push timed out.
    InDoubt,
    /// The item is in the queue, but on fewer replicas than required.
    Unreplicated,
    /// The item went directly to the sink, which failed.
    Sink,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    /// The same, because of something that the store did or did not do.
    pub(crate) fn because(self, cause: Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// The store is not reachable, for this reason.
    pub(crate) fn unreachable(cause: Cause) -> Self {
        let message = format!("the cache's store is not reachable: {cause}");
        Self::new(ErrorKind::Unavailable, message).because(cause)
    }

    /// The kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What is the matter with the store, as far as it is known: whether it is the address, the
    /// password, the database, or something that it refuses. `None` if the error is not the
    /// store's.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// The code of the server's refusal, for a program to match on: `OOM`, `READONLY`, `NOPERM`,
    /// `MISCONF`, `NOREPLICAS`, … (the [first
    /// word](https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors) of its
    /// error). `None` if the server has not refused anything.
    #[must_use]
    pub fn server_code(&self) -> Option<&str> {
        self.cause.as_ref().and_then(Cause::refusal).map(Refusal::code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    /// The [cause](Self::cause), which the message says too.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
