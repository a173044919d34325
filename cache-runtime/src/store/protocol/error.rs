//! Why a store does not do what is asked of it.

use crate::error::Refusal;
use crate::error::{Error, ErrorKind};
use crate::metrics::{Event, StoreFailure};
use crate::store::redis::Redirection;

/// The result of a store operation.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// Why an operation was not acknowledged. It may have been executed nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// No connection, or the breaker is open: nothing was sent.
    Down,
    /// So many calls were in flight that its turn did not come before the deadline: nothing was
    /// sent.
    Saturated,
    /// No answer before the deadline.
    TimedOut,
    /// The connection was lost before the answer arrived.
    Lost,
    /// The server refused.
    Refused(Refusal),
    /// The server has not executed it: another node of its cluster has the key.
    Redirected(Box<Redirection>),
    /// A reply that the command does not give.
    Unexpected,
}

impl StoreError {
    /// Whether nothing was sent, so that nothing can have been executed.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::Down | Self::Saturated)
    }

    /// Why what was sent has no result; `None` if nothing was sent.
    pub(crate) fn failure(&self) -> Option<StoreFailure> {
        match self {
            Self::Down | Self::Saturated => None,
            Self::TimedOut => Some(StoreFailure::Timeout),
            Self::Lost => Some(StoreFailure::Lost),
            Self::Refused(_) | Self::Redirected(_) | Self::Unexpected => {
                Some(StoreFailure::Refused)
            }
        }
    }

    /// What is counted.
    pub(crate) fn event(&self) -> Event {
        match self {
            Self::Down => Event::Down,
            Self::Saturated => Event::Saturated,
            Self::TimedOut => Event::TimedOut,
            Self::Lost => Event::Lost,
            Self::Refused(_) | Self::Redirected(_) | Self::Unexpected => Event::StoreRefused,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (kind, message) = match &error {
            StoreError::Down => {
                (ErrorKind::Unavailable, "the cache's store is not reachable".to_owned())
            }
            StoreError::Saturated => (
                ErrorKind::Unavailable,
                "so many calls to the cache's store were in flight that this one's turn did not \
                 come within its time budget (`max_in_flight`)"
                    .to_owned(),
            ),
            StoreError::TimedOut => (
                ErrorKind::Unavailable,
                "the cache's store did not answer within its time budget".to_owned(),
            ),
            StoreError::Lost => (
                ErrorKind::Unavailable,
                "the connection to the cache's store was lost underway".to_owned(),
            ),
            StoreError::Refused(refusal) => (
                ErrorKind::Refused,
                format!("the cache's store refused the operation: {refusal}"),
            ),
            StoreError::Redirected(_) => (
                ErrorKind::Refused,
                "the cache's store is a node of a cluster, and another one has the key: connect to \
                    `redis+cluster://`"
                    .to_owned(),
            ),
            StoreError::Unexpected => (
                ErrorKind::Refused,
                "the cache's store gave a reply that the command does not give".to_owned(),
            ),
        };
        let cause = (error != StoreError::Down).then(|| error.into());
        match cause {
            Some(cause) => Self::new(kind, message).because(cause),
            None => Self::new(kind, message),
        }
    }
}
