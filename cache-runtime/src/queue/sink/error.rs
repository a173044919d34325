//! Why a sink did not take a batch.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Whether it helps to try again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SinkErrorKind {
    /// It never helps: the item is at fault. It becomes a dead letter at once; a batch is halved
    /// until it is found.
    Permanent,
    /// It helps in the end: the database cannot be reached, or is overloaded. The batch waits,
    /// however long that takes, and nothing is counted against its items.
    Transient,
    /// Nobody knows. The item is tried `max_attempts` times by itself while the sink takes others.
    #[default]
    Unspecified,
}

/// The error of a sink that says [what kind](SinkErrorKind) of error it is, or which items of the
/// batch it is about.
///
/// A sink can return it, in a `Result<(), SinkError>`, where `?` makes one of kind `Unspecified` of
/// any other error. A sink that returns errors of its own says the kind in the attribute instead,
/// with `error_kind = path`: a `fn(&E) -> SinkErrorKind`.
///
/// ```
/// use cache_runtime::queue::SinkError;
/// use cache_runtime::write_behind;
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Login { user: i64 }
/// # #[derive(Clone)] struct Db;
/// # impl Db { async fn insert(&self, _: &[Login]) -> Result<(), DbError> { Ok(()) } }
/// # #[derive(Debug)] struct DbError;
/// # impl DbError { fn is_constraint(&self) -> bool { true } fn is_closed(&self) -> bool { true } }
/// # impl std::fmt::Display for DbError { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { f.write_str("no") } }
///
/// #[write_behind(queue = "kind-of-logins", key = "<login.user>")]
/// async fn save_logins(db: &Db, logins: Vec<Login>) -> Result<(), SinkError> {
///     db.insert(&logins).await.map_err(|error| match error {
///         error if error.is_constraint() => SinkError::permanent(error),
///         error if error.is_closed() => SinkError::transient(error),
///         error => SinkError::unspecified(error),
///     })
/// }
/// ```
pub struct SinkError {
    kind: SinkErrorKind,
    text: String,
    items: Vec<(usize, Self)>,
}

impl SinkError {
    /// An error of this kind, with the text of another one and, in its alternate form, its causes.
    #[must_use]
    pub fn new(kind: SinkErrorKind, error: impl fmt::Display) -> Self {
        Self { kind, text: format!("{error:#}"), items: Vec::new() }
    }

    /// It never helps to try again; see [`SinkErrorKind::Permanent`].
    #[must_use]
    pub fn permanent(error: impl fmt::Display) -> Self {
        Self::new(SinkErrorKind::Permanent, error)
    }

    /// It helps to wait; see [`SinkErrorKind::Transient`].
    #[must_use]
    pub fn transient(error: impl fmt::Display) -> Self {
        Self::new(SinkErrorKind::Transient, error)
    }

    /// Nobody knows whether it helps to try again; see [`SinkErrorKind::Unspecified`].
    #[must_use]
    pub fn unspecified(error: impl fmt::Display) -> Self {
        Self::new(SinkErrorKind::Unspecified, error)
    }

    /// Some items of the batch failed, each with an error of its own, and **all others were
    /// taken**: they are not delivered again. An item is given by its place, from 0, among the
    /// items as the sink got them: in the `Vec`, or in the order in which the
    /// [`Batch`](crate::Batch) gave them. Errors about a place that there is not make the whole
    /// batch fail.
    ///
    /// This is for sinks that write items one by one, such as a bulk request with a status for
    /// each. A sink that keeps the [position](crate::Batch::position) can name only those that it
    /// will never take (`Permanent`): others would be delivered again behind the position that it
    /// has stored.
    ///
    /// ```
    /// use cache_runtime::queue::{SinkError, SinkErrorKind};
    ///
    /// # struct Reply { status: u16 }
    /// # let replies = [Reply { status: 200 }, Reply { status: 422 }, Reply { status: 429 }];
    /// let failed = replies.iter().enumerate().filter(|(_, reply)| reply.status >= 400);
    /// let error = SinkError::of_items(failed.map(|(place, reply)| match reply.status {
    ///     429 | 503 => (place, SinkError::transient("too many requests")),
    ///     status => (place, SinkError::permanent(format_args!("status {status}"))),
    /// }));
    /// assert_eq!(error.to_string(), "2 items failed; item 1: status 422");
    /// ```
    #[must_use]
    pub fn of_items(items: impl IntoIterator<Item = (usize, Self)>) -> Self {
        let items: Vec<_> = items.into_iter().collect();
        let first = items.first().map(|(place, error)| format!("; item {place}: {error}"));
        let text = format!("{} items failed{}", items.len(), first.unwrap_or_default());
        Self { kind: SinkErrorKind::Unspecified, text, items }
    }

    /// Whether it helps to try again. Of an error [of items](Self::of_items), what that says of the
    /// whole batch: nothing.
    #[must_use]
    pub fn kind(&self) -> SinkErrorKind {
        self.kind
    }

    /// A call took longer than it may.
    pub(in crate::queue) fn late(limit: Duration) -> Self {
        Self::unspecified(format_args!("the sink took longer than `sink_timeout`, {limit:?}"))
    }

    pub(in crate::queue) fn text(&self) -> &str {
        &self.text
    }

    /// The items that it is about; none if it is about the batch.
    pub(in crate::queue) fn take_items(&mut self) -> Vec<(usize, Self)> {
        std::mem::take(&mut self.items)
    }

    /// What a sink's error says of itself, if it is one of these.
    pub(in crate::queue) fn of<E: fmt::Display + 'static>(error: E) -> Self {
        let mut error = Some(error);
        let any: &mut dyn Any = &mut error;
        let own = any.downcast_mut::<Option<Self>>().and_then(Option::take);
        own.or_else(|| error.map(Self::unspecified))
            .unwrap_or_else(|| Self::unspecified("an error"))
    }
}

impl<E: Error> From<E> for SinkError {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::unspecified(text)
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkError")
            .field("kind", &self.kind)
            .field("text", &self.text)
            .field("items", &self.items)
            .finish()
    }
}

/// What a sink has returned, whose errors are of the kind that a function tells.
pub fn classified<E: fmt::Display>(
    result: Result<(), E>,
    kind: impl Fn(&E) -> SinkErrorKind,
) -> Result<(), SinkError> {
    result.map_err(|error| SinkError::new(kind(&error), error))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_sink_keeps_what_it_says() {
        let own = SinkError::of(SinkError::permanent("no"));
        assert_eq!((own.kind(), own.text()), (SinkErrorKind::Permanent, "no"));
        let other = SinkError::of("no");
        assert_eq!((other.kind(), other.text()), (SinkErrorKind::Unspecified, "no"));
        let from = SinkError::from(io::Error::other(io::Error::other("why")));
        assert_eq!(from.kind(), SinkErrorKind::Unspecified);
    }
}
