//! The seam between the protocol, which is the same for all functions, and what only one of them has: its body and its
//! types.
//!
//! The protocol is compiled once, in this crate. What is compiled again for each pair of types is here, and is little:
//! a value that becomes bytes, bytes that become a value, and a place for the result. What is compiled for each function
//! is in [`body`](crate::read::load::body), and is less.
//!
//! No future of the protocol holds a reference to this side. While it is polled it may [ask](crate::read::load::desk), and
//! whoever polls it answers. So those futures are `Send` whatever the types of the function are, and whether the future
//! of a call is `Send` depends on its body and its types alone.

use std::task::{Context, Poll};
use std::time::Duration;

use crate::codec::fidelity::{Difference, Encoded};
use crate::codec::{Codec, CodecError};
use crate::engine::Core;
use crate::engine::entry::{Content, Lasting};
use crate::error::Error;
use crate::key::Typed;
use crate::policy::FINGERPRINT;
use crate::read::driver::Driver;
use crate::read::load::body::Body;
use crate::typing::{Returns, Shared};

/// How the errors of a function are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum Memory {
    /// As bytes, by all processes.
    Wire,
    /// As they are, by this process.
    Local,
}

/// What the protocol does with a call's body and its result, without knowing their types.
pub(in crate::read) trait Steps: Content + Lasting {
    /// Makes the body's future.
    fn start(&mut self);

    /// Polls it; its output becomes the result.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Lets a copy of the body run in the background, for a call that `driver` leads through the protocol.
    fn detach(&mut self, driver: Driver, cache: &Core);

    /// Makes the bytes of a value the result; whether that was possible. The result is what it was before if not.
    fn decode(&mut self, payload: &[u8], codec: Codec) -> bool;

    /// The same with a copy of what another call has loaded.
    fn unshare(&mut self, value: &Shared) -> bool;

    /// The same with the bytes of an error.
    fn decode_error(&mut self, payload: &[u8], codec: Codec) -> bool;

    /// The same with an error of another call.
    fn unshare_error(&mut self, error: &Shared) -> bool;

    /// Whether the result is a value, and no error.
    fn is_value(&self) -> bool;

    /// A copy of the value for other calls, if its type can be cloned.
    fn share(&self) -> Option<Shared>;

    /// The error for other calls, where its type allows that. The result may hold it together with them from now on.
    fn share_error(&mut self) -> Option<Shared>;

    /// Whether the result can say that the call was refused.
    fn can_refuse(&self) -> bool;

    /// Makes a refusal the result, where it can be one.
    fn refuse(&mut self, error: Error);

    /// How errors are remembered, if they are.
    fn memory(&self) -> Option<Memory>;

    /// Whether the call is one by hand, of no function.
    fn is_by_hand(&self) -> bool;

    /// For how long the result is remembered, if it is an error that is.
    fn error_ttl(&self) -> Option<Duration>;

    /// The error as content of a record.
    fn encode_error(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Encoded, CodecError>;

    fn compare_error(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference>;
}

/// The error of a call, to be remembered as bytes; of one that can only be cloned, nothing but that it is there.
pub(in crate::read) struct Failed<'a> {
    pub(in crate::read) steps: &'a dyn Steps,
    /// Stands before the error: other functions that share the entry do not fail in the same way.
    pub(in crate::read) function: [u8; FINGERPRINT],
}

impl Content for Failed<'_> {
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Encoded, CodecError> {
        if self.steps.memory() != Some(Memory::Wire) {
            return Ok(Encoded::Exact);
        }
        out.extend(self.function);
        self.steps.encode_error(codec, out)
    }

    fn compare(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference> {
        if self.steps.memory() != Some(Memory::Wire) {
            return Ok(());
        }
        self.steps.compare_error(codec, payload.get(FINGERPRINT..).unwrap_or_default())
    }
}

/// What there is to know of a function's types, and the result of one call.
pub(in crate::read) struct Values<R, T> {
    pub(in crate::read) returns: Returns<R, T>,
    pub(in crate::read) key: Typed<T>,
    pub(in crate::read) result: Option<R>,
}

impl<R, T> Values<R, T> {
    pub(in crate::read) fn new(returns: Returns<R, T>, key: Typed<T>) -> Self {
        Self { returns, key, result: None }
    }

    fn keep(&mut self, result: Option<R>) -> bool {
        let is_kept = result.is_some();
        if is_kept {
            self.result = result;
        }
        is_kept
    }

    fn value(&self) -> Option<&T> {
        self.result.as_ref().and_then(self.returns.value)
    }
}

/// Both sides of the seam that belong to one call.
pub(in crate::read) struct Both<'a, R, T> {
    pub(in crate::read) values: &'a mut Values<R, T>,
    pub(in crate::read) unless: Option<&'a dyn Fn(&T) -> bool>,
    pub(in crate::read) body: &'a mut dyn Body<R, T>,
}

impl<R, T> Content for Both<'_, R, T> {
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Encoded, CodecError> {
        let value = self.values.value().ok_or(CodecError)?;
        self.values.returns.encode(value, codec, out)
    }

    fn compare(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference> {
        let value = self.values.value().ok_or(Difference::Unreadable)?;
        self.values.returns.compare(value, codec, payload)
    }
}

impl<R, T> Lasting for Both<'_, R, T> {
    fn is_absent(&self) -> bool {
        self.values.value().is_some_and(self.values.returns.is_absent)
    }

    fn is_excluded(&self) -> bool {
        self.values.value().is_some_and(|value| {
            self.unless.is_some_and(|unless| unless(value)) || self.values.key.excludes(value)
        })
    }

    fn ttl(&self) -> Option<Duration> {
        self.values.value().and_then(|value| self.values.key.ttl(value))
    }
}

impl<R, T> Steps for Both<'_, R, T> {
    fn start(&mut self) {
        self.body.start();
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.body.poll(cx).map(|result| self.values.result = Some(result))
    }

    fn detach(&mut self, driver: Driver, cache: &Core) {
        // There is no caller that could be refused.
        let values = Values::new(self.values.returns.never_refusing(), self.values.key);
        self.body.detach(driver, values, cache);
    }

    fn decode(&mut self, payload: &[u8], codec: Codec) -> bool {
        let decoded = self.values.returns.decode(payload, codec).ok();
        self.values.keep(decoded)
    }

    fn unshare(&mut self, value: &Shared) -> bool {
        let copy = ((self.values.returns.nature)().unshare)(value);
        self.values.keep(copy)
    }

    fn decode_error(&mut self, payload: &[u8], codec: Codec) -> bool {
        let wire = self.values.returns.errors.and_then(|errors| errors().wire);
        let decoded = wire.and_then(|wire| (wire.decode)(payload, codec).ok());
        self.values.keep(decoded)
    }

    fn unshare_error(&mut self, error: &Shared) -> bool {
        let copy = (self.values.returns.sharing.unshare)(error);
        self.values.keep(copy)
    }

    fn is_value(&self) -> bool {
        self.values.value().is_some()
    }

    fn share(&self) -> Option<Shared> {
        self.values.value().and_then((self.values.returns.nature)().share)
    }

    fn share_error(&mut self) -> Option<Shared> {
        let (result, shared) = (self.values.returns.sharing.share)(self.values.result.take()?);
        self.values.result = Some(result);
        shared
    }

    fn can_refuse(&self) -> bool {
        self.values.returns.refuse.is_some()
    }

    fn refuse(&mut self, error: Error) {
        let refused = self.values.returns.refuse.map(|refuse| refuse(error));
        self.values.keep(refused);
    }

    fn memory(&self) -> Option<Memory> {
        let errors = (self.values.returns.errors?)();
        Some(if errors.wire.is_some() { Memory::Wire } else { Memory::Local })
    }

    fn is_by_hand(&self) -> bool {
        (self.values.returns.nature)().by_hand
    }

    fn error_ttl(&self) -> Option<Duration> {
        let errors = (self.values.returns.errors?)();
        self.values.result.as_ref().and_then(errors.ttl)
    }

    fn encode_error(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Encoded, CodecError> {
        let wire = self.values.returns.errors.and_then(|errors| errors().wire).ok_or(CodecError)?;
        wire.encode(self.values.result.as_ref().ok_or(CodecError)?, codec, out)
    }

    fn compare_error(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference> {
        let wire = self.values.returns.errors.and_then(|errors| errors().wire);
        match wire.zip(self.values.result.as_ref()) {
            Some((wire, result)) => wire.compare(result, codec, payload),
            None => Ok(()),
        }
    }
}
