//! The beginning of a write: its scope, and the fences around what it is known to change.

use std::pin::Pin;

use crate::engine::{Core, ambient};
use crate::error::{Error, ErrorKind};
use crate::policy::Callsite;
use crate::record::token::Token;
use crate::store::{StoreError, StoreResult};
use crate::write::guard::Guard;
use crate::write::scope::WriteScope;
use crate::write::stamps::Stamps;
use crate::write::{Manner, Targets, Write};

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A write whose body has not begun yet.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) guard: Guard,
    pub(super) stamps: Stamps,
    callsite: &'static Callsite,
    names_cache: bool,
    manner: Manner,
    /// Whether all fences are in place, or why one was not acknowledged.
    fenced: StoreResult<bool>,
    /// Some of the targets may not be known.
    pub(super) lacks_targets: bool,
}

impl Begun {
    /// Opens the scope of a write, or finds the surrounding one.
    pub(super) fn new(write: &Write) -> Self {
        let Write { callsite, names_cache, manner, .. } = *write;
        let cache = write.cache.clone().unwrap_or_else(|| ambient::current(callsite));
        let guard = if let Some(scope) = WriteScope::surrounding(&cache) {
            Guard::of_write(scope)
        } else {
            let writer = write.writer.unwrap_or_else(Token::random);
            Guard::own(WriteScope::open(cache, writer, false))
        };
        let (stamps, fenced, lacks_targets) = (Stamps::default(), Ok(true), false);
        Self { guard, stamps, callsite, names_cache, manner, fenced, lacks_targets }
    }

    /// Whether the write's targets are fenced.
    pub(super) fn has_fences(&self) -> bool {
        !self.manner.fence_off || self.manner.in_transaction
    }

    /// Takes what the write itself names, and fences it together with further targets.
    pub(super) async fn fence_first(&mut self, write: &mut Write, further: Targets) {
        let (mut targets, tagged) =
            (std::mem::take(&mut write.targets), std::mem::take(&mut write.tagged));
        targets.extend(further);
        if tagged.is_empty() {
            return self.fence(targets).await;
        }
        let cache = self.guard.cache().clone();
        let capture = Stamps::capture(&cache, &tagged);
        let ((), stamps) = tokio::join!(self.fence(targets), capture);
        self.stamps = stamps;
    }

    /// Adds targets, and fences them.
    pub(super) async fn fence(&mut self, targets: Targets) {
        targets.are_in(self.guard.cache(), self.names_cache, self.callsite);
        self.guard.add(&targets);
        let fenced = self.guard.enrol(targets, self.has_fences(), self.manner.hold_off).await;
        self.fenced = match (std::mem::replace(&mut self.fenced, Ok(false)), fenced) {
            (Ok(former), Ok(fenced)) => Ok(former & fenced),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        };
    }

    /// Why a write that does not begin without its fences is refused.
    pub(super) fn refusal(&self) -> Option<Error> {
        if self.fenced != Ok(true) {
            return Some(unfenced(self.guard.cache(), self.fenced.clone().err()));
        }
        self.lacks_targets.then(|| {
            let message = "the write was not begun: what its `before` reads is not certain, so \
                           some of its entries would have no fence";
            Error::new(ErrorKind::Unfenced, message.to_owned())
        })
    }
}

fn unfenced(cache: &Core, why: Option<StoreError>) -> Error {
    let message = "the write was not begun: its fence could not be put up in the cache's store";
    match why.map(|error| cache.explained(error)) {
        Some(error) => {
            let unfenced = Error::new(ErrorKind::Unfenced, format!("{message}: {error}"));
            match error.cause() {
                Some(cause) => unfenced.because(cause.clone()),
                None => unfenced,
            }
        }
        None => Error::new(ErrorKind::Unfenced, message),
    }
}
