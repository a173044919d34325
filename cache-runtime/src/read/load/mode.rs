//! How a body is run, and what becomes of what it returned.

use std::time::Duration;

use bytes::Bytes;

use crate::codec::fidelity::Fidelity;
use crate::engine::entry::{self, Content, Head, Unfit};
use crate::engine::flight::{Landed, Leader, Mark};
use crate::engine::report;
use crate::engine::tags::{Standing, of_value};
use crate::error::Error;
use crate::read::call::ReadCall;
use crate::read::lease::{Lease, Share};
use crate::read::load::alias::EntityEntry;
use crate::read::load::finish::Finish;
use crate::read::steps::{ErrorMemory, Failed, Steps};
use crate::record::token::Token;
use crate::record::{self, Value};
use crate::store::Fill;
use crate::support::panic::guarded;
use crate::support::span::{SHORTEST, capped};
use crate::typing::Shared;

/// How the body is run, which decides what may become of its result.
pub(in crate::read) enum LoadMode {
    /// Nothing is stored or shared.
    Alone,
    /// Nothing is stored, but waiters that joined before the mark get the result.
    Shared(Leader, Mark),
    /// The value is stored if the key still holds this lease.
    Leased(Box<Lease>),
    /// The value is stored if the key still holds the value with this token.
    Replace(Box<Lease>, Token),
    /// The same, under the refresh lease; the old value is served if the body fails.
    Refresh(Box<Lease>, Box<Value>),
}

/// A load whose body has returned.
pub(in crate::read) struct Loaded<'a> {
    pub(super) call: &'a ReadCall,
    /// The result, and what can be done with it.
    pub(super) steps: &'a mut dyn Steps,
    pub(super) took: Duration,
    /// Where the value stands, if that is not the entry of the call.
    pub(super) entity: Option<Result<EntityEntry, Unfit>>,
    /// Why the value has no record, if that is due to the tags that it tells.
    unfit: Option<Unfit>,
}

impl LoadMode {
    /// For the waiters as well, but without storing anything.
    pub(in crate::read) fn shared(leader: Leader) -> Self {
        let mark = leader.mark();
        Self::Shared(leader, mark)
    }

    /// The lease to renew while the body runs.
    pub(in crate::read) fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Leased(lease) => Some(lease),
            Self::Refresh(lease, _) if lease.is_held() => Some(lease),
            _ => None,
        }
    }

    /// Whether other callers wait for the result.
    pub(in crate::read) fn is_awaited(&self) -> bool {
        match self {
            Self::Alone => false,
            Self::Shared(leader, _) => leader.is_awaited(),
            Self::Leased(lease) | Self::Replace(lease, _) | Self::Refresh(lease, _) => {
                lease.is_awaited()
            }
        }
    }

    fn lease_mut(&mut self) -> Option<&mut Lease> {
        match self {
            Self::Alone | Self::Shared(..) => None,
            Self::Leased(lease) | Self::Replace(lease, _) | Self::Refresh(lease, _) => Some(lease),
        }
    }

    /// Waiters get nothing; one of them loads.
    fn give_up(self) {
        match self {
            Self::Alone => {}
            Self::Shared(leader, _) => drop(leader),
            Self::Leased(lease) | Self::Replace(lease, _) | Self::Refresh(lease, _) => drop(lease),
        }
    }

    /// Decides what becomes of what the body returned; `None` if nothing is left to do. Looks at
    /// the result here and now, so that no reference to it is held while the store answers. The
    /// call returns the result, which may have become an error in place of a value that would come
    /// back as another one.
    pub(in crate::read) fn end(mut self, loaded: &mut Loaded<'_>) -> Option<Finish> {
        if loaded.learns() && !loaded.take_tags(&mut self) {
            // What this task may see of its own write must not get to others.
            self.give_up();
            return None;
        }
        let awaited = self.is_awaited();
        let (lease, seen, refreshes) = match self {
            Self::Alone => return None,
            Self::Shared(leader, mark) => {
                let share = if loaded.steps.is_value() {
                    match loaded.refused_unstored(awaited) {
                        Some(share) => share,
                        None => loaded.share(awaited, None),
                    }
                } else {
                    Share::Failure(loaded.shared_error(awaited))
                };
                leader.land(&share.landing(mark));
                return None;
            }
            Self::Leased(lease) if loaded.entity.is_some() => {
                return loaded.end_alias(lease, awaited);
            }
            Self::Leased(lease) => (lease, None, false),
            Self::Replace(lease, seen) => (lease, Some(seen), false),
            Self::Refresh(lease, value) if !loaded.steps.is_value() => {
                return Some(Finish::Keep(lease, value, loaded.shared_error(awaited)));
            }
            Self::Refresh(lease, value) => (lease, Some(value.token()), true),
        };
        if !loaded.steps.is_value() {
            // An error is remembered only where there is nothing, and never in place of a value.
            if seen.is_none()
                && let Some(fill) = loaded.error(lease.token(), lease.stamps())
            {
                return Some(Finish::Store(lease, None, fill, None));
            }
            lease.decline(Share::Failure(loaded.shared_error(awaited)));
            return None;
        }
        let record = match loaded.times() {
            Some((fresh, stale)) => match loaded.encode(lease.token(), lease.stamps()) {
                Ok(record) if !loaded.call.is_outdated() => {
                    let landed = if awaited { loaded.original() } else { None };
                    report::filling(fresh);
                    let fill = Fill::new(record, fresh, stale);
                    return Some(Finish::Store(lease, seen, fill, landed));
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
            Some(seen) if refreshes => return Some(Finish::Remove(lease, seen, share)),
            _ => lease.decline(share),
        }
        None
    }
}

impl<'a> Loaded<'a> {
    /// From here on, the call has the tags that the value tells.
    pub(in crate::read) fn new(
        call: &'a mut ReadCall,
        steps: &'a mut dyn Steps,
        took: Duration,
    ) -> Self {
        let mut unfit = None;
        // Of a failure nothing is known, and the value that it may leave in its place has its own.
        if call.tags.are_told() && steps.is_value() {
            let told = guarded(|| steps.told()).ok_or(Unfit::Unencodable);
            match told.and_then(|tags| of_value::told(&call.cache, tags)) {
                Ok(texts) => call.learn_tags(texts),
                Err(error) => unfit = Some(error),
            }
        }
        let entity = if steps.is_value() { call.find_entity(steps) } else { None };
        Self { call, steps, took, entity, unfit }
    }

    /// Hands the tags on to the load; whether others may see what it has loaded.
    fn take_tags(&self, mode: &mut LoadMode) -> bool {
        if !self.steps.is_value() {
            return true;
        }
        if let Some(lease) = mode.lease_mut() {
            lease.take_tags(&self.call.tags);
        }
        !self.call.is_being_written() && !self.is_entity_being_written()
    }

    /// The error for waiters, where there are any and its type allows that.
    fn shared_error(&mut self, awaited: bool) -> Option<Shared> {
        if awaited { self.steps.share_error() } else { None }
    }

    fn is_strict(&self) -> bool {
        self.call.callsite.policy().fidelity == Fidelity::Strict
    }

    /// What the waiters get in place of a value that would come back as another one, if its
    /// function asks for that: the same as if the body had returned the error. That error is the
    /// result of the call from now on.
    fn refused(&mut self, unfit: &Unfit, awaited: bool) -> Option<Share> {
        if !self.is_strict() || !self.steps.can_refuse() || !matches!(unfit, Unfit::Altered(_)) {
            return None;
        }
        self.steps.refuse(Error::from(unfit));
        Some(Share::Failure(self.shared_error(awaited)))
    }

    /// The same for a value that only cannot be stored now: whether a value is refused does not
    /// depend on the store.
    pub(super) fn refused_unstored(&mut self, awaited: bool) -> Option<Share> {
        if !self.is_strict() || self.times().is_none() {
            return None;
        }
        let record = self.encode(Token::random(), &self.call.tags.unstamped());
        record.err().and_then(|unfit| self.refused(&unfit, awaited))
    }

    /// The value itself for waiters, if its type can be cloned.
    fn original(&self) -> Option<Landed> {
        let original = guarded(|| self.steps.share()).flatten()?;
        let stamps = self.call.tags.unstamped();
        let record = self.head(Token::random(), &stamps).bare(self.call.schema);
        Some(Landed { record: Bytes::from(record), original: Some(original) })
    }

    /// What waiters get of a value that is not stored. `record` is the value's, if one was made.
    pub(super) fn share(&self, awaited: bool, record: Option<Result<Vec<u8>, Unfit>>) -> Share {
        if !awaited {
            return Share::Nothing;
        }
        if let Some(landed) = self.original() {
            return Share::Value(landed);
        }
        let record =
            record.unwrap_or_else(|| self.encode(Token::random(), &self.call.tags.unstamped()));
        match record {
            Ok(record) => Share::Value(Landed::encoded(Bytes::from(record))),
            Err(_) => Share::Failure(None),
        }
    }

    /// The value's record, unless it cannot be encoded, is too large, or would come back as another
    /// one.
    fn encode(&self, token: Token, stamps: &Standing) -> Result<Vec<u8>, Unfit> {
        self.record(token, stamps, &*self.steps)
    }

    fn record(
        &self,
        token: Token,
        stamps: &Standing,
        content: &dyn Content,
    ) -> Result<Vec<u8>, Unfit> {
        let ReadCall { cache, callsite, schema, .. } = self.call;
        let record = match &self.unfit {
            Some(unfit) => Err(unfit.clone()),
            None => self.head(token, stamps).record(cache, callsite, *schema, content),
        };
        record.inspect_err(|unfit| unfit.tell(cache, callsite))
    }

    /// The record of an error, if it is to be remembered.
    fn error(&mut self, token: Token, stamps: &Standing) -> Option<Fill> {
        let memory = self.steps.memory()?;
        let ttl = capped(guarded(|| self.steps.error_ttl())??);
        if ttl < SHORTEST || self.call.is_outdated() {
            return None;
        }
        let ReadCall { cache, callsite, .. } = self.call;
        let content = Failed { steps: &*self.steps, function: callsite.fingerprint() };
        let mut record = self.record(token, stamps, &content).ok()?;
        if memory == ErrorMemory::Local {
            let error = self.steps.share_error()?;
            if !cache.errors().keep(token, callsite, error, ttl) {
                return None;
            }
        }
        record::set_error(&mut record);
        Some(Fill::new(record, ttl, Duration::ZERO))
    }

    fn head<'s>(&'s self, token: Token, stamps: &'s Standing) -> Head<'s> {
        let told = self.call.tags.of_value();
        Head { name: self.call.hash, token, stamps: stamps.stamps(), told, took: self.took }
    }

    /// How long the value is fresh, and how long it may be served after that; not at all if it is
    /// not to be stored.
    pub(super) fn times(&self) -> Option<(Duration, Duration)> {
        entry::times(self.call.callsite, &*self.steps)
    }
}
