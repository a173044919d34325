//! The seam between the protocol of a read, which is the same for all functions, and what only one
//! function has: its body and its types.
//!
//! The protocol is compiled once, in this crate. What is compiled again for each pair of types is
//! here, and is little: a value becomes bytes, bytes become a value, and there is a place for the
//! result. What is compiled for each function is in [`calling`](crate::read::calling), and is less.
//!
//! No future of the protocol holds a reference to this side. While it is polled it may
//! [request](crate::read::restore) that something be restored, which its poller does. So those
//! futures are `Send` whatever the types of the function are, and whether the future of a call is
//! `Send` depends on its body and its types alone.

use std::task::{Context, Poll};
use std::time::Duration;

use crate::codec::fidelity::{Difference, Exactness};
use crate::codec::{Codec, CodecError};
use crate::engine::entry::{Content, Lasting};
use crate::engine::{Core, report};
use crate::error::Error;
use crate::key::{Entity, Tag, Typed};
use crate::policy::FINGERPRINT;
use crate::typing::{Returns, Shared};

/// How the errors of a function are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum ErrorMemory {
    /// As bytes in the store, for all processes.
    Wire,
    /// As they are, in this process only.
    Local,
}

/// A call that goes through the protocol, without its body and its types.
pub(in crate::read) trait Protocol: Send {
    /// Goes on until the call has a result, or needs none because it runs in the background.
    fn poll(&mut self, cx: &mut Context<'_>, steps: &mut dyn Steps) -> Poll<()>;
}

/// The body of one call, which returns an `R` and stores a `T`.
pub(in crate::read) trait Body<R, T> {
    /// Makes the body's future.
    fn start(&mut self);

    /// Polls that future, and drops it as soon as it has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<R>;

    /// Runs a copy of the body in the background, as a call of its own. Does nothing if the body
    /// cannot be copied.
    fn detach(&mut self, protocol: Box<dyn Protocol>, values: Values<R, T>, cache: &Core);
}

/// What the protocol does with a call's body and its result, without knowing their types.
pub(in crate::read) trait Steps: Content + Lasting {
    /// Makes the body's future.
    fn start(&mut self);

    /// Polls the body, whose output becomes the result.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Lets a copy of the body run in the background, as a call that goes through `protocol`.
    fn detach(&mut self, protocol: Box<dyn Protocol>, cache: &Core);

    /// Makes the bytes of a value the result; whether that was possible. If not, the result stays
    /// what it was before.
    fn decode(&mut self, payload: &[u8], codec: Codec) -> bool;

    /// The same with a copy of what another call has loaded.
    fn unshare(&mut self, value: &Shared) -> bool;

    /// The same with the bytes of an error.
    fn decode_error(&mut self, payload: &[u8], codec: Codec) -> bool;

    /// The same with an error of another call.
    fn unshare_error(&mut self, error: &Shared) -> bool;

    /// Whether the result is a value, and no error.
    fn is_value(&self) -> bool;

    /// The tags that the value tells.
    fn told(&self) -> Vec<Tag>;

    /// The entry that the value stands in, if the key of the call is an alias of that.
    fn entity(&self) -> Option<Entity>;

    /// A copy of the value for other calls, if its type can be cloned.
    fn share(&self) -> Option<Shared>;

    /// The error for other calls, where its type allows that. From now on the result may hold it
    /// together with them.
    fn share_error(&mut self) -> Option<Shared>;

    /// Whether the result can say that the call was refused.
    fn can_refuse(&self) -> bool;

    /// Makes a refusal the result, where it can be one.
    fn refuse(&mut self, error: Error);

    /// How errors are remembered, if they are.
    fn memory(&self) -> Option<ErrorMemory>;

    /// Whether the call is a load by hand, of no function.
    fn is_by_hand(&self) -> bool;

    /// For how long the result is remembered, if it is an error that is to be remembered.
    fn error_ttl(&self) -> Option<Duration>;

    /// Appends the error as the content of a record.
    fn encode_error(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Exactness, CodecError>;

    /// Whether the error would come back from these bytes as it is.
    fn compare_error(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference>;
}

/// The error of a call as the content of a record. Of an error that only this process can remember,
/// the record has no content: it says only that there is one.
pub(in crate::read) struct Failed<'a> {
    pub(in crate::read) steps: &'a dyn Steps,
    /// The fingerprint of the function, which stands before the error: other functions that share
    /// the entry do not fail in the same way.
    pub(in crate::read) function: [u8; FINGERPRINT],
}

impl Content for Failed<'_> {
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Exactness, CodecError> {
        if self.steps.memory() != Some(ErrorMemory::Wire) {
            return Ok(Exactness::Exact);
        }
        out.extend(self.function);
        self.steps.encode_error(codec, out)
    }

    fn compare(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference> {
        if self.steps.memory() != Some(ErrorMemory::Wire) {
            return Ok(());
        }
        self.steps.compare_error(codec, payload.get(FINGERPRINT..).unwrap_or_default())
    }
}

/// What the protocol needs to know of a function's types, and the result of one call.
pub(in crate::read) struct Values<R, T> {
    pub(in crate::read) returns: Returns<R, T>,
    pub(in crate::read) key: Typed<T>,
    pub(in crate::read) result: Option<R>,
}

impl<R, T> Values<R, T> {
    pub(in crate::read) fn new(returns: Returns<R, T>, key: Typed<T>) -> Self {
        Self { returns, key, result: None }
    }

    /// Sets the result if there is one; whether there is.
    fn set(&mut self, result: Option<R>) -> bool {
        let is_set = result.is_some();
        if is_set {
            self.result = result;
        }
        is_set
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
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Exactness, CodecError> {
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
        report::aside(|| self.body.poll(cx)).map(|result| self.values.result = Some(result))
    }

    fn detach(&mut self, protocol: Box<dyn Protocol>, cache: &Core) {
        // In the background no caller could be refused.
        let values = Values::new(self.values.returns.never_refusing(), self.values.key);
        self.body.detach(protocol, values, cache);
    }

    fn decode(&mut self, payload: &[u8], codec: Codec) -> bool {
        let decoded = self.values.returns.decode(payload, codec).ok();
        self.values.set(decoded)
    }

    fn unshare(&mut self, value: &Shared) -> bool {
        let copy = ((self.values.returns.nature)().unshare)(value);
        self.values.set(copy)
    }

    fn decode_error(&mut self, payload: &[u8], codec: Codec) -> bool {
        let wire = self.values.returns.errors.and_then(|errors| errors().wire);
        let decoded = wire.and_then(|wire| (wire.decode)(payload, codec).ok());
        self.values.set(decoded)
    }

    fn unshare_error(&mut self, error: &Shared) -> bool {
        let copy = (self.values.returns.sharing.unshare)(error);
        self.values.set(copy)
    }

    fn is_value(&self) -> bool {
        self.values.value().is_some()
    }

    fn told(&self) -> Vec<Tag> {
        self.values.value().map_or_else(Vec::new, |value| self.values.key.told(value))
    }

    fn entity(&self) -> Option<Entity> {
        self.values.value().and_then(|value| self.values.key.entity(value))
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
        self.values.set(refused);
    }

    fn memory(&self) -> Option<ErrorMemory> {
        let errors = (self.values.returns.errors?)();
        Some(if errors.wire.is_some() { ErrorMemory::Wire } else { ErrorMemory::Local })
    }

    fn is_by_hand(&self) -> bool {
        (self.values.returns.nature)().by_hand
    }

    fn error_ttl(&self) -> Option<Duration> {
        let errors = (self.values.returns.errors?)();
        self.values.result.as_ref().and_then(errors.ttl)
    }

    fn encode_error(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Exactness, CodecError> {
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
