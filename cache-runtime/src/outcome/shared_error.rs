//! What callers get of an error that cannot be cloned.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// What the error of a load says, for the callers that waited for that load.
///
/// When many callers of one entry wait and the load fails, each of them needs an error. If the function's error type
/// cannot be cloned, as those of most database crates cannot, it can be made from this: then one load answers them all.
/// The caller whose body ran has the error itself; the others have one that says the same, cause by cause.
///
/// | error type | callers that waited |
/// |---|---|
/// | `Clone + Send + Sync + 'static` | get a clone |
/// | `anyhow::Error`, `Box<dyn Error + Send + Sync>`, and any other that is `From<SharedError>` | get what is made from this |
/// | any other, such as `sqlx::Error` | load for themselves, no more than 16 at a time |
///
/// For `sqlx::Error` write an enum around it, which most programs have anyway, or put it in an [`Arc`]:
///
/// ```
/// use cache_runtime::{SharedError, cached};
///
/// #[derive(Debug)]
/// enum Failure {
///     Database(std::io::Error),
///     Shared(SharedError),
/// }
///
/// impl From<SharedError> for Failure {
///     fn from(error: SharedError) -> Self {
///         Self::Shared(error)
///     }
/// }
/// # impl std::fmt::Display for Failure {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         match self {
/// #             Self::Database(error) => error.fmt(f),
/// #             Self::Shared(error) => error.fmt(f),
/// #         }
/// #     }
/// # }
///
/// #[cached(key = "user:<id>", ttl = "1h")]
/// async fn user_name(id: u64) -> Result<String, Failure> {
///     Err(Failure::Database(std::io::Error::other(id.to_string())))
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # cache_runtime::Cache::in_memory().scope(async {
/// assert!(matches!(user_name(7).await, Err(Failure::Database(_))), "the body has run for this caller");
/// # }).await }
/// ```
///
/// With `thiserror`, the variant is `#[error(transparent)] Shared(#[from] SharedError)`.
#[derive(Clone)]
pub struct SharedError(Arc<Said>);

/// One error of a chain.
struct Said {
    display: String,
    debug: String,
    source: Option<SharedError>,
}

impl SharedError {
    /// What an error and those that caused it say.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Self {
        let source = error.source().map(Self::of);
        Self::said(error, error, source)
    }

    /// What an error says that is not known to have a cause.
    pub(super) fn without_source(error: &(impl fmt::Display + fmt::Debug)) -> Self {
        Self::said(error, error, None)
    }

    fn said(display: &dyn fmt::Display, debug: &dyn fmt::Debug, source: Option<Self>) -> Self {
        let (display, debug) = (display.to_string(), format!("{debug:?}"));
        Self(Arc::new(Said { display, debug, source }))
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.display)
    }
}

impl fmt::Debug for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.debug)
    }
}

impl StdError for SharedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}
