//! What a type must be able to do, said in this crate's words where it cannot.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// What can be stored and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in the cache",
    label = "this is stored and read back",
    note = "derive or implement `serde::Serialize` and `serde::Deserialize` for it",
    note = "a response, such as `Json<T>` or `Html<T>`, is not stored: cache the function that \
            makes what is in it, and let the handler call that",
    note = "for `Arc` and `Rc`, enable the feature `rc` of serde",
    note = "it must come back from serde as it was: with a part that serde skips or changes it is \
        not stored, and each call runs the body"
)]
pub trait Storable: Serialize + DeserializeOwned {}

// Else rustc would tell which of serde's traits is missing, in serde's words.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Storable for T {}

/// What can be read back, which is all that a type may lack that can be written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read back from the cache",
    label = "this is stored and read back",
    note = "it has `serde::Serialize`; derive or implement `serde::Deserialize` for it as well",
    note = "what borrows from the text that it is read from, as a field of type `&str` does, \
        cannot be read back: own it"
)]
pub trait ReadBack: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> ReadBack for T {}

/// What can be written, which is all that a type may lack that can be read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to the cache",
    label = "this is stored and read back",
    note = "it has `serde::Deserialize`; derive or implement `serde::Serialize` for it as well"
)]
pub trait Writable: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Writable for T {}

/// What can say that a call was refused: a write without its fence, a load too many, or a value
/// that would change.
#[diagnostic::on_unimplemented(
    message = "the call may be refused, and `{Self}` cannot say so",
    label = "needs to be a `Result` whose error can be made from `cache_runtime::Error`",
    note = "implement `From<cache_runtime::Error>` for the error type"
)]
pub trait Refuse {
    /// What the function returns when it was refused.
    fn refuse(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> Refuse for Result<T, E> {
    fn refuse(error: Error) -> Self {
        Err(error.into())
    }
}

/// What can be an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an error, so there is nothing that a stale value could be served \
        instead of",
    label = "needs to be a `Result`",
    note = "`stale_while_revalidate` serves stale values whatever the function returns"
)]
pub trait Fail {}

#[diagnostic::do_not_recommend]
impl<T, E> Fail for Result<T, E> {}

/// What can be an error, and which.
#[diagnostic::on_unimplemented(
    message = "`in_doubt` is asked about an error, and `{Self}` cannot be one",
    label = "needs to be a `Result`",
    note = "leave `in_doubt` out: a write that is dropped, or panics, keeps its fence without it"
)]
pub trait Fails {
    /// Of this type.
    type Error;

    /// The error, if it is one.
    fn error(&self) -> Option<&Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T, E> Fails for Result<T, E> {
    type Error = E;

    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// What may be `None`. Of a type parameter that is never known.
#[diagnostic::on_unimplemented(
    message = "`none_ttl` is how long `None` is stored, and `{Self}` is not an `Option`",
    label = "needs to be an `Option`, alone or in a `Result`",
    note = "return `Option<{Self}>` if there may be nothing to return; else leave out `none_ttl`"
)]
pub trait Optional {}

#[diagnostic::do_not_recommend]
impl<V> Optional for Option<V> {}
