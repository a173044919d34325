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
    /// It is not clear what is asked for.
    Unclear(&'static str),
    /// It cannot be done as things are.
    Conflict(&'static str),
    /// The details are for the log.
    Database(Arc<sqlx::Error>),
    /// The cache was asked for something that nothing else can answer: to take a view, or to explain
    /// a key.
    Cache(cache_runtime::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<cache_runtime::Error> for Failure {
    fn from(error: cache_runtime::Error) -> Self {
        Self::Cache(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such row"),
            Self::Unclear(why) | Self::Conflict(why) => f.write_str(why),
            Self::Database(error) => write!(f, "the database: {error}"),
            Self::Cache(error) => write!(f, "the cache: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Missing => StatusCode::NOT_FOUND.into_response(),
            Self::Unclear(why) => (StatusCode::BAD_REQUEST, why).into_response(),
            Self::Conflict(why) => (StatusCode::CONFLICT, why).into_response(),
            Self::Database(_) => {
                eprintln!("{self}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Cache(_) => {
                eprintln!("{self}");
                (StatusCode::SERVICE_UNAVAILABLE, "the cache does not answer").into_response()
            }
        }
    }
}
