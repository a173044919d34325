//! What a write has found out about the state before it, by the type of what it read.
//!
//! Of a `Result` the `Ok` counts, and of an `Option` the `Some`; everything else is the state
//! itself. The compiler tells which it is, as for [`Probe`](crate::typing::Probe): an inherent
//! method hides that of a trait.

/// The output of `before = ..`.
#[derive(Debug)]
pub struct Former<R>(R);

/// The same without the error, if it can be one.
#[derive(Debug)]
pub struct Told<T>(Result<T, Unknown>);

/// The state before the write is not known, because reading it failed.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;

/// Asks what this output is.
pub fn former<R>(output: R) -> Former<R> {
    Former(output)
}

impl<T, E> Former<Result<T, E>> {
    /// It is a `Result`.
    pub fn told(self) -> Told<T> {
        Told(self.0.map_err(|_| Unknown))
    }
}

/// What [`Former`] says of all other outputs.
pub trait Certain<R> {
    /// It is no `Result`.
    fn told(self) -> Told<R>;
}

impl<R> Certain<R> for Former<R> {
    fn told(self) -> Told<R> {
        Told(Ok(self.0))
    }
}

impl<T> Told<Option<T>> {
    /// There may have been nothing.
    ///
    /// # Errors
    ///
    /// [`Unknown`] if reading failed.
    pub fn state(self) -> Result<Option<T>, Unknown> {
        self.0
    }
}

/// What [`Told`] says of all other states.
pub trait Present<T> {
    /// There was something.
    ///
    /// # Errors
    ///
    /// [`Unknown`] if reading failed.
    fn state(self) -> Result<Option<T>, Unknown>;
}

impl<T> Present<T> for Told<T> {
    fn state(self) -> Result<Option<T>, Unknown> {
        self.0.map(Some)
    }
}

/// What `before = ..` can be.
#[diagnostic::on_unimplemented(
    message = "`before` is awaited, and `{Self}` is no future",
    label = "not a future",
    note = "name an async function with its arguments, such as `before = find(db, id)`, without \
            `.await`; for anything else write `before = async {{ .. }}`"
)]
pub trait Awaited: Future {}

#[diagnostic::do_not_recommend]
impl<F: Future> Awaited for F {}

/// Awaits what is read before a write.
///
/// # Cancel safety
///
/// Dropping it drops the read.
pub async fn awaited<F: Awaited>(read: F) -> F::Output {
    read.await
}
