//! Why there is no answer.

use std::fmt;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Can be cloned, so that callers who waited for one load share its failure, and need not each ask
/// a database that is in trouble.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no such row.
    Missing,
    /// It cannot be done as things are.
    Conflict(&'static str),
    /// The details are for the log.
    Database(Arc<sqlx::Error>),
    /// A view could not be put into its queue.
    Queue(cache_runtime::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<cache_runtime::Error> for Failure {
    fn from(error: cache_runtime::Error) -> Self {
        Self::Queue(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such row"),
            Self::Conflict(why) => f.write_str(why),
            Self::Database(error) => write!(f, "the database: {error}"),
            Self::Queue(error) => write!(f, "the queue: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Missing => StatusCode::NOT_FOUND.into_response(),
            Self::Conflict(why) => (StatusCode::CONFLICT, why).into_response(),
            Self::Database(_) => {
                eprintln!("{self}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Queue(_) => {
                eprintln!("{self}");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}
