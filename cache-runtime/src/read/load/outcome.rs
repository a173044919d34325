//! The third stage of a call: looks at what its body returned, and decides what becomes of it.

use std::time::Duration;

use bytes::Bytes;

use crate::codec::fidelity::Fidelity;
use crate::engine::entry::{self, Content, Head, Unfit};
use crate::engine::flight::{Landed, Leader, Mark};
use crate::engine::tags::Standing;
use crate::error::Error;
use crate::read::lease::{Lease, Share};
use crate::read::load::finish::Ending;
use crate::read::load::steps::{Failed, Memory, Steps};
use crate::read::lookup::Entry;
use crate::record::token::Token;
use crate::record::{self, Value};
use crate::store::Fill;
use crate::support::panic::guarded;
use crate::support::span::{SHORTEST, capped};
use crate::typing::Shared;

/// How the body is run.
pub(in crate::read) enum Attempt {
    /// Nothing is stored or shared.
    Alone,
    /// Nothing is stored, but waiters that joined before the mark are served.
    Around(Leader, Mark),
    /// Stored if the key still holds this attempt's lease.
    Leased(Box<Lease>),
    /// Stored if the key still holds the value with this token.
    Replace(Box<Lease>, Token),
    /// The same, under a lease in the key beside the value; the old value is served if the body fails.
    Over(Box<Lease>, Box<Value>),
}

/// What is left of a load once its result has been looked at. The call returns the result, which may have become an error
/// in place of a value that would come back as another one.
pub(in crate::read) enum Ended {
    /// Nothing.
    Done,
    /// This, before the call returns.
    Left(Ending),
}

/// What there is to know about a finished load.
pub(in crate::read) struct Loaded<'a> {
    pub(in crate::read) entry: &'a Entry,
    /// The result, and what can be done with it.
    pub(in crate::read) steps: &'a mut dyn Steps,
    pub(in crate::read) took: Duration,
}

impl Attempt {
    /// The lease to renew while the body runs.
    pub(in crate::read) fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Leased(lease) => Some(lease),
            Self::Over(lease, _) if lease.is_held() => Some(lease),
            _ => None,
        }
    }

    /// Whether other callers wait for the result.
    pub(in crate::read) fn is_awaited(&self) -> bool {
        match self {
            Self::Alone => false,
            Self::Around(leader, _) => leader.is_awaited(),
            Self::Leased(lease) | Self::Replace(lease, _) | Self::Over(lease, _) => {
                lease.is_awaited()
            }
        }
    }

    /// Decides what becomes of what the body returned. Looks at the result here and now, so that no reference to it
    /// is held while the store answers.
    pub(in crate::read) fn end(self, loaded: &mut Loaded<'_>) -> Ended {
        let awaited = self.is_awaited();
        let (lease, seen, beside) = match self {
            Self::Alone => return Ended::Done,
            Self::Around(leader, mark) => {
                let share = if loaded.steps.is_value() {
                    match loaded.refused_unstored(awaited) {
                        Some(share) => share,
                        None => loaded.share(awaited, None),
                    }
                } else {
                    Share::Failure(loaded.shared_error(awaited))
                };
                leader.land(&share.from(mark));
                return Ended::Done;
            }
            Self::Leased(lease) => (lease, None, false),
            Self::Replace(lease, seen) => (lease, Some(seen), false),
            Self::Over(lease, value) if !loaded.steps.is_value() => {
                return Ended::Left(Ending::Keep(lease, value, loaded.shared_error(awaited)));
            }
            Self::Over(lease, value) => (lease, Some(value.token()), true),
        };
        if !loaded.steps.is_value() {
            // Only where there is nothing; never in place of a value.
            if seen.is_none()
                && let Some(fill) = loaded.error(lease.token(), lease.stamps())
            {
                return Ended::Left(Ending::Store(lease, None, fill, None));
            }
            lease.decline(Share::Failure(loaded.shared_error(awaited)));
            return Ended::Done;
        }
        let record = match loaded.times() {
            Some((fresh, stale)) => match loaded.encode(lease.token(), lease.stamps()) {
                Ok(record) if !loaded.entry.is_outdated() => {
                    let landed = if awaited { loaded.original() } else { None };
                    let fill = Fill::new(record, fresh, stale);
                    return Ended::Left(Ending::Store(lease, seen, fill, landed));
                }
                record => Some(record),
            },
            None => None,
        };
        let refused = match &record {
            Some(Err(unfit)) => loaded.refused(unfit, awaited),
            _ => None,
        };
        let share = refused.unwrap_or_else(|| loaded.share(awaited, record));
        match seen {
            Some(seen) if beside => return Ended::Left(Ending::Remove(lease, seen, share)),
            _ => lease.decline(share),
        }
        Ended::Done
    }
}

impl Loaded<'_> {
    /// The error for waiters, where there are any and its type allows that.
    fn shared_error(&mut self, awaited: bool) -> Option<Shared> {
        if awaited { self.steps.share_error() } else { None }
    }

    fn is_strict(&self) -> bool {
        self.entry.callsite.policy().fidelity == Fidelity::Strict
    }

    /// What the waiters get in place of a value that would come back as another one, if its function asks for that: the
    /// same as if the body had returned the error. That is the result of the call from now on.
    fn refused(&mut self, unfit: &Unfit, awaited: bool) -> Option<Share> {
        if !self.is_strict() || !self.steps.can_refuse() || !matches!(unfit, Unfit::Altered(_)) {
            return None;
        }
        self.steps.refuse(Error::from(unfit));
        Some(Share::Failure(self.shared_error(awaited)))
    }

    /// The same for a value that only cannot be stored now: whether it is refused does not depend on the store.
    fn refused_unstored(&mut self, awaited: bool) -> Option<Share> {
        if !self.is_strict() || self.times().is_none() {
            return None;
        }
        let record = self.encode(Token::random(), &self.entry.tags.unstamped());
        record.err().and_then(|unfit| self.refused(&unfit, awaited))
    }

    /// The value itself for waiters, if its type can be cloned.
    fn original(&self) -> Option<Landed> {
        let original = guarded(|| self.steps.share()).flatten()?;
        let stamps = self.entry.tags.unstamped();
        let record = self.head(Token::random(), &stamps).bare(self.entry.schema);
        Some(Landed { record: Bytes::from(record), original: Some(original) })
    }

    /// What waiters get of a value that is not stored; its record, if it was to have one.
    fn share(&self, awaited: bool, record: Option<Result<Vec<u8>, Unfit>>) -> Share {
        if !awaited {
            return Share::Nothing;
        }
        if let Some(landed) = self.original() {
            return Share::Value(landed);
        }
        let record =
            record.unwrap_or_else(|| self.encode(Token::random(), &self.entry.tags.unstamped()));
        match record {
            Ok(record) => Share::Value(Landed::encoded(Bytes::from(record))),
            Err(_) => Share::Failure(None),
        }
    }

    /// The value's record, unless it cannot be encoded, is too large, or would come back as another one.
    fn encode(&self, token: Token, stamps: &Standing) -> Result<Vec<u8>, Unfit> {
        self.record(token, stamps, &*self.steps)
    }

    fn record(
        &self,
        token: Token,
        stamps: &Standing,
        content: &dyn Content,
    ) -> Result<Vec<u8>, Unfit> {
        let Entry { cache, callsite, schema, .. } = self.entry;
        let record = self.head(token, stamps).record(cache, callsite, *schema, content);
        record.inspect_err(|unfit| unfit.tell(cache, callsite))
    }

    /// The record of an error, if it is to be remembered.
    fn error(&mut self, token: Token, stamps: &Standing) -> Option<Fill> {
        let memory = self.steps.memory()?;
        let ttl = capped(guarded(|| self.steps.error_ttl())??);
        if ttl < SHORTEST || self.entry.is_outdated() {
            return None;
        }
        let Entry { cache, callsite, .. } = self.entry;
        let content = Failed { steps: &*self.steps, function: callsite.fingerprint() };
        let mut record = self.record(token, stamps, &content).ok()?;
        if memory == Memory::Local {
            let error = self.steps.share_error()?;
            if !cache.errors().keep(token, callsite, error, ttl) {
                return None;
            }
        }
        record::set_error(&mut record);
        Some(Fill::new(record, ttl, Duration::ZERO))
    }

    fn head<'s>(&self, token: Token, stamps: &'s Standing) -> Head<'s> {
        Head { name: self.entry.hash, token, stamps: stamps.stamps(), took: self.took }
    }

    /// How long the value is fresh, and how long it may be served after that; not at all if it is not to be stored.
    fn times(&self) -> Option<(Duration, Duration)> {
        entry::times(self.entry.callsite, &*self.steps)
    }
}
