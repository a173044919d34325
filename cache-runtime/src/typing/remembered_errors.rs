//! Errors that are cached in place of a value: `error_ttl`.
//!
//! An error that can be serialized and deserialized is the payload of a record, and serves all
//! processes. One that can only be cloned stays in the process in which it happened, under the
//! token of its record. The record says for how long, and shows that nothing has been invalidated
//! since; to other processes it is a miss.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::codec::fidelity::{self, Difference, Exactness};
use crate::codec::{Codec, CodecError};
use crate::policy::Callsite;
use crate::record::token::Token;
use crate::typing::{self, Compare, Equal, Probe, Shared};

/// How many errors one process remembers. Beyond that, callers load again.
const MOST: usize = 4096;

/// What is to be known of a function's errors.
pub struct Errors<R> {
    /// How long this result is remembered, if it is an error and to be remembered.
    pub(crate) ttl: fn(&R) -> Option<Duration>,
    /// How it is serialized; `None` if it can only be cloned.
    pub(crate) wire: Option<Wire<R>>,
}

/// An error as bytes.
pub(crate) struct Wire<R> {
    encode: fn(&R, Codec, &mut Vec<u8>) -> Result<Exactness, CodecError>,
    pub(crate) decode: fn(&[u8], Codec) -> Result<R, CodecError>,
    compare: fn(&R, Codec, &[u8]) -> Result<(), Difference>,
}

impl<T, E: Serialize + DeserializeOwned> Wire<Result<T, E>> {
    fn new<C: Compare<E>>() -> Self {
        Self {
            encode: |result, codec, out| match result {
                Ok(_) => Err(CodecError),
                Err(error) => fidelity::encode(error, codec, out),
            },
            decode: |payload, codec| codec.decode(payload).map(Err),
            compare: |result, codec, payload| match result {
                Ok(_) => Ok(()),
                Err(error) => fidelity::compare(error, codec, payload, C::EQUAL),
            },
        }
    }
}

impl<R> Wire<R> {
    /// Appends the bytes of an error.
    pub(crate) fn encode(
        &self,
        result: &R,
        codec: Codec,
        out: &mut Vec<u8>,
    ) -> Result<Exactness, CodecError> {
        (self.encode)(result, codec, out)
    }

    /// Compares an error with what can be read from its bytes.
    pub(crate) fn compare(
        &self,
        result: &R,
        codec: Codec,
        payload: &[u8],
    ) -> Result<(), Difference> {
        (self.compare)(result, codec, payload)
    }
}

/// Errors that can be serialized and deserialized.
pub trait ErrorsWritten<R> {
    /// All processes remember them.
    fn errors(self, ttl: fn(&R) -> Option<Duration>) -> Errors<R>;
}

impl<T, E: Serialize + DeserializeOwned> ErrorsWritten<Result<T, E>> for &&Probe<Result<T, E>> {
    fn errors(self, ttl: fn(&Result<T, E>) -> Option<Duration>) -> Errors<Result<T, E>> {
        Errors { ttl, wire: Some(Wire::new::<typing::Encoded>()) }
    }
}

impl<T, E> ErrorsWritten<Result<T, E>> for &&&Probe<Result<T, E>>
where
    E: Serialize + DeserializeOwned + PartialEq,
{
    fn errors(self, ttl: fn(&Result<T, E>) -> Option<Duration>) -> Errors<Result<T, E>> {
        Errors { ttl, wire: Some(Wire::new::<Equal>()) }
    }
}

/// Errors that can be cloned.
pub trait ErrorsCloned<R> {
    /// This process remembers them.
    fn errors(self, ttl: fn(&R) -> Option<Duration>) -> Errors<R>;
}

impl<T, E: Clone + Send + Sync + 'static> ErrorsCloned<Result<T, E>> for &Probe<Result<T, E>> {
    fn errors(self, ttl: fn(&Result<T, E>) -> Option<Duration>) -> Errors<Result<T, E>> {
        Errors { ttl, wire: None }
    }
}

/// All other errors, and results that are no errors.
pub trait ErrorsForgotten<R> {
    /// Nobody can remember them.
    fn errors(self, ttl: fn(&R) -> Option<Duration>) -> Errors<R>
    where
        R: Remember;
}

impl<R> ErrorsForgotten<R> for Probe<R> {
    fn errors(self, ttl: fn(&R) -> Option<Duration>) -> Errors<R>
    where
        R: Remember,
    {
        Errors { ttl, wire: None }
    }
}

/// Implemented by nothing: stands for results whose errors can neither be serialized nor cloned.
#[diagnostic::on_unimplemented(
    message = "the error of `{Self}` cannot be remembered",
    label = "`error_ttl` needs a `Result` whose error can be kept",
    note = "derive `serde::Serialize` and `serde::Deserialize` for the error type: then all \
        processes remember it",
    note = "or `Clone`, with `Send + Sync + 'static`: then each process remembers its own"
)]
pub trait Remember {}

/// How long a result is remembered, by what its function says of errors.
pub fn ttl<T, E>(
    result: &Result<T, E>,
    of: impl FnOnce(&E) -> Option<Duration>,
) -> Option<Duration> {
    result.as_ref().err().and_then(of)
}

/// The errors that this process remembers by the tokens of their records.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<HashMap<Token, Kept>>);

/// An error, the function that it is of, and until when.
struct Kept {
    error: Shared,
    callsite: &'static Callsite,
    until: Instant,
}

impl Remembered {
    /// Keeps an error for as long as its record may live. Returns whether there was room for it.
    pub(crate) fn keep(
        &self,
        token: Token,
        callsite: &'static Callsite,
        error: Shared,
        ttl: Duration,
    ) -> bool {
        let now = Instant::now();
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() >= MOST {
            errors.retain(|_, kept| kept.until > now);
        }
        let Some(until) = now.checked_add(ttl).filter(|_| errors.len() < MOST) else {
            return false;
        };
        errors.insert(token, Kept { error, callsite, until });
        true
    }

    /// The error of this function with this token.
    pub(crate) fn get(&self, token: Token, callsite: &'static Callsite) -> Option<Shared> {
        let errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = errors.get(&token).filter(|kept| std::ptr::eq(kept.callsite, callsite))?;
        Some(Shared::clone(&kept.error))
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}

impl<R> fmt::Debug for Errors<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errors")
    }
}
