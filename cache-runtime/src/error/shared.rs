//! What callers get of an error that cannot be cloned.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The error of a load, held by all callers that waited for that load.
///
/// When many callers of one entry wait and the load fails, each of them needs an error. If the
/// function's error type cannot be cloned, as those of most database crates cannot, it can be made
/// from this: then one load answers them all. So can the error of the caller whose body ran, as
/// soon as others wait; if nobody does, that caller has its error as it is.
///
/// | error type | callers that waited |
/// |---|---|
/// | `Clone + Send + Sync + 'static` | get a clone |
/// | `anyhow::Error`, `Box<dyn Error + Send + Sync>`, and any other that is `From<SharedError>` and `Send + Sync + 'static` | get what is made from this |
/// | any other, such as `sqlx::Error` | load for themselves, no more than 16 at a time |
///
/// It says what the first error says, has the same [`source`](StdError::source), and
/// [`downcast_ref`](Self::downcast_ref) gives the first error itself.
///
/// For `sqlx::Error` write an enum around it, which most programs have anyway, or put it in an
/// [`Arc`]:
///
/// ```
/// use cache_runtime::error::SharedError;
/// use cache_runtime::cached;
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
///
/// impl Failure {
///     fn is_timeout(&self) -> bool {
///         match self {
///             Self::Database(error) => error.kind() == std::io::ErrorKind::TimedOut,
///             Self::Shared(error) => error.downcast_ref().is_some_and(Self::is_timeout),
///         }
///     }
/// }
/// # impl std::error::Error for Failure {}
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
///     # _ = id;
///     Err(Failure::Database(std::io::ErrorKind::TimedOut.into()))
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # cache_runtime::Cache::in_memory().scope(async {
/// let error = user_name(7).await.unwrap_err();
/// assert!(error.is_timeout(), "for the caller whose body ran, and for those that waited");
/// # }).await }
/// ```
///
/// With `thiserror`, the variant is `#[error(transparent)] Shared(#[from] SharedError)`.
#[derive(Clone)]
pub struct SharedError(Arc<dyn Held>);

/// The first error.
trait Held: fmt::Debug + fmt::Display + Send + Sync {
    /// The same as an error, if its type is one.
    fn error(&self) -> Option<&(dyn StdError + 'static)>;
}

/// An error.
struct Direct<E>(E);

/// What can be seen as an error, such as `anyhow::Error`.
struct ByRef<E>(E);

/// What is called an error and has not the trait.
struct Text<E>(E);

impl SharedError {
    pub(crate) fn of(error: impl StdError + Send + Sync + 'static) -> Self {
        Self(Arc::new(Direct(error)))
    }

    pub(crate) fn by_ref<E>(error: E) -> Self
    where
        E: AsRef<dyn StdError + Send + Sync + 'static>
            + fmt::Debug
            + fmt::Display
            + Send
            + Sync
            + 'static,
    {
        Self(Arc::new(ByRef(error)))
    }

    pub(crate) fn text(error: impl fmt::Debug + fmt::Display + Send + Sync + 'static) -> Self {
        Self(Arc::new(Text(error)))
    }

    /// The first error, if it is an `E`. Where the function returns an `anyhow::Error` or a boxed
    /// error, `E` is what that holds. Its causes are found through [`source`](StdError::source).
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.error()?.downcast_ref()
    }
}

macro_rules! says_what_it_holds {
    ($($holder:ident),*) => {$(
        impl<E: fmt::Display> fmt::Display for $holder<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<E: fmt::Debug> fmt::Debug for $holder<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

says_what_it_holds!(Direct, ByRef, Text);

impl<E: StdError + Send + Sync + 'static> Held for Direct<E> {
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl<E> Held for ByRef<E>
where
    E: AsRef<dyn StdError + Send + Sync + 'static> + fmt::Debug + fmt::Display + Send + Sync,
{
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.as_ref())
    }
}

impl<E: fmt::Debug + fmt::Display + Send + Sync> Held for Text<E> {
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        None
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for SharedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.error()?.source()
    }
}
