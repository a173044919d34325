//! What a type must be able to do, said in this crate's words where it cannot.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Returns;
use crate::error::Error;

/// What can be stored and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in the cache",
    label = "this is stored and read back",
    note = "derive or implement `serde::Serialize` and `serde::Deserialize` for it",
    note = "for `Arc` and `Rc`, enable the feature `rc` of serde"
)]
pub trait Storable: Serialize + DeserializeOwned {}

// Else rustc would tell which of serde's traits is missing, in serde's words.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Storable for T {}

/// What can say that a call was refused: a write without its fence, or a load too many.
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
    message = "`{Self}` cannot be an error, so there is nothing that a stale value could be served instead of",
    label = "needs to be a `Result`",
    note = "`stale_while_revalidate` serves stale values whatever the function returns"
)]
pub trait Fail {}

#[diagnostic::do_not_recommend]
impl<T, E> Fail for Result<T, E> {}

/// What may be `None`. Of a type parameter that is never known.
#[diagnostic::on_unimplemented(
    message = "`none_ttl` is how long `None` is stored, and `{Self}` is not an `Option`",
    label = "needs to be an `Option`, alone or in a `Result`",
    note = "return `Option<{Self}>` if there may be nothing to return; else leave out `none_ttl`"
)]
pub trait Optional {}

#[diagnostic::do_not_recommend]
impl<V> Optional for Option<V> {}

/// An entry in which a `V` is stored: functions that share one store the same.
#[diagnostic::on_unimplemented(
    message = "the key is that of `{Self}`, and this function stores `{V}`",
    label = "stored in an entry of `{Self}`",
    note = "functions share an entry if they return the same: here `{Self}`, alone or in a `Result`"
)]
pub trait Stores<V>: Sized {
    /// The same, said of the entry.
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, Self>;
}

impl<V> Stores<V> for V {
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, V> {
        returns
    }
}

/// A return type that is stored as a whole, as its name made the macro believe: then it is a `V` itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is hidden behind an alias whose name does not end in `Result`",
    label = "stores `{V}`",
    note = "a return type with type parameters in it is judged by its name: write `Result<T, E>`, or let the alias end \
            in `Result`"
)]
pub trait Spells<V>: Sized {
    /// The same, said of the type as a whole.
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, Self>;
}

impl<V> Spells<V> for V {
    fn returns<R>(returns: Returns<R, V>) -> Returns<R, V> {
        returns
    }
}
