//! The second and third stage of a call: runs the body, and stores what it returns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use super::ending::Ending;
use super::lease::{Lease, Share};
use crate::cache::Cache;
use crate::entry::{self, Head, Unfit};
use crate::error::Error;
use crate::fidelity::Fidelity;
use crate::flight::{Landed, Leader, Mark};
use crate::key::Key;
use crate::outcome::{Returns, SharedError};
use crate::record::{self, KeyHash, Value};
use crate::span::{SHORTEST, capped};
use crate::store::Fill;
use crate::tags::{Standing, Tags};
use crate::token::Token;

/// How the body is run.
pub(super) enum Attempt {
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

/// What is left of a load once its result has been looked at.
pub(super) enum Ended<R> {
    /// Nothing: the call returns the result.
    Done,
    /// This, before the call returns the result.
    Left(Ending),
    /// This, before the call returns an error in place of a value that would come back as another one.
    Refused(R, Option<Ending>),
}

/// What there is to know about a finished load.
pub(super) struct Loaded<'a, R, T, U> {
    pub(super) cache: &'a Cache,
    pub(super) text: &'a str,
    pub(super) tags: &'a Tags,
    pub(super) result: &'a R,
    pub(super) returns: &'a Returns<R, T>,
    pub(super) key: &'a Key<T>,
    pub(super) unless: Option<&'a U>,
    pub(super) took: Duration,
}

impl Attempt {
    /// Runs the body, and renews the lease meanwhile.
    pub(super) async fn watch<B: Future>(&self, body: Pin<&mut B>) -> B::Output {
        let Some(lease) = self.lease() else {
            return body.await;
        };
        keeping(body, lease.length(), || Box::pin(lease.renew())).await
    }

    /// The lease to renew while the body runs.
    pub(super) fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Leased(lease) => Some(lease),
            Self::Over(lease, _) if lease.is_held() => Some(lease),
            _ => None,
        }
    }

    /// Decides what becomes of what the body returned. Looks at the result here and now, so that no reference to it
    /// is held while the store answers.
    pub(super) fn end<R, T, U: Fn(&T) -> bool>(self, loaded: &Loaded<'_, R, T, U>) -> Ended<R> {
        let (lease, seen, beside) = match self {
            Self::Alone => return Ended::Done,
            Self::Around(leader, mark) => {
                let share = match loaded.value() {
                    Some(value) => match loaded.refused_unstored(value) {
                        Some((refused, share)) => {
                            leader.land(&share.from(mark));
                            return Ended::Refused(refused, None);
                        }
                        None => loaded.share(value, leader.is_awaited(), None),
                    },
                    None => Share::Failure(loaded.shared_error()),
                };
                leader.land(&share.from(mark));
                return Ended::Done;
            }
            Self::Leased(lease) => (lease, None, false),
            Self::Replace(lease, seen) => (lease, Some(seen), false),
            Self::Over(lease, value) if loaded.value().is_none() => {
                return Ended::Left(Ending::Keep(lease, value, loaded.shared_error()));
            }
            Self::Over(lease, value) => (lease, Some(value.token()), true),
        };
        let Some(value) = loaded.value() else {
            // Only where there is nothing; never in place of a value.
            if seen.is_none()
                && let Some(fill) = loaded.error(lease.token(), lease.stamps())
            {
                return Ended::Left(Ending::Store(lease, None, fill, None));
            }
            lease.decline(Share::Failure(loaded.shared_error()));
            return Ended::Done;
        };
        let awaited = lease.is_awaited();
        let record = match loaded.times(value) {
            Some((fresh, stale)) => match loaded.encode(value, lease.token(), lease.stamps()) {
                Ok(record) if !loaded.is_outdated() => {
                    let landed = if awaited { loaded.original(value) } else { None };
                    let fill = Fill::new(record, fresh, stale);
                    return Ended::Left(Ending::Store(lease, seen, fill, landed));
                }
                record => Some(record),
            },
            None => None,
        };
        if let Some(Err(unfit)) = &record
            && let Some((refused, share)) = loaded.refused(unfit)
        {
            match seen {
                Some(seen) if beside => {
                    return Ended::Refused(refused, Some(Ending::Remove(lease, seen, share)));
                }
                _ => lease.decline(share),
            }
            return Ended::Refused(refused, None);
        }
        let share = loaded.share(value, awaited, record);
        match seen {
            Some(seen) if beside => return Ended::Left(Ending::Remove(lease, seen, share)),
            _ => lease.decline(share),
        }
        Ended::Done
    }
}

impl<R, T, U: Fn(&T) -> bool> Loaded<'_, R, T, U> {
    fn value(&self) -> Option<&T> {
        (self.returns.value)(self.result)
    }

    /// Whether an invalidation of the entry or of one of its tags is waiting to be delivered. It counts as executed.
    fn is_outdated(&self) -> bool {
        self.tags.are_outdated(self.cache, self.text)
    }

    fn shared_error(&self) -> Option<SharedError> {
        guarded(|| (self.returns.sharing.share)(self.result)).flatten()
    }

    /// What the call and its waiters get in place of a value that would come back as another one, if its function asks
    /// for that: the same as if the body had returned the error.
    fn refused(&self, unfit: &Unfit) -> Option<(R, Share)> {
        let is_strict = self.key.callsite().policy().fidelity == Fidelity::Strict;
        let refuse = self.returns.refuse.filter(|_| is_strict)?;
        if !matches!(unfit, Unfit::Altered(_)) {
            return None;
        }
        let refused = refuse(Error::from(unfit));
        let error = guarded(|| (self.returns.sharing.share)(&refused)).flatten();
        Some((refused, Share::Failure(error)))
    }

    /// The same for a value that only cannot be stored now: whether it is refused does not depend on the store.
    fn refused_unstored(&self, value: &T) -> Option<(R, Share)> {
        let is_strict = self.key.callsite().policy().fidelity == Fidelity::Strict;
        if !is_strict || self.times(value).is_none() {
            return None;
        }
        let record = self.encode(value, Token::random(), &self.tags.unstamped());
        record.err().and_then(|unfit| self.refused(&unfit))
    }

    /// The value itself for waiters, if its type can be cloned.
    fn original(&self, value: &T) -> Option<Landed> {
        let original = guarded(|| ((self.returns.nature)().share)(value)).flatten()?;
        let stamps = self.tags.unstamped();
        let record = self.head(Token::random(), &stamps).bare(self.cache, self.key);
        Some(Landed { record: Bytes::from(record), original: Some(original) })
    }

    /// What waiters get of a value that is not stored; its record, if it was to have one.
    fn share(&self, value: &T, awaited: bool, record: Option<Result<Vec<u8>, Unfit>>) -> Share {
        if !awaited {
            return Share::Nothing;
        }
        if let Some(landed) = self.original(value) {
            return Share::Value(landed);
        }
        let record =
            record.unwrap_or_else(|| self.encode(value, Token::random(), &self.tags.unstamped()));
        match record {
            Ok(record) => Share::Value(Landed::encoded(Bytes::from(record))),
            Err(_) => Share::Failure(None),
        }
    }

    /// The value's record, unless it cannot be encoded, is too large, or would come back as another one.
    fn encode(&self, value: &T, token: Token, stamps: &Standing) -> Result<Vec<u8>, Unfit> {
        let content = self.returns.content(value);
        let record = self.head(token, stamps).record(self.cache, self.key, &content);
        record.inspect_err(|unfit| unfit.tell(self.cache, self.key.callsite()))
    }

    /// The record of an error, if it is to be remembered.
    fn error(&self, token: Token, stamps: &Standing) -> Option<Fill> {
        let errors = (self.returns.errors?)();
        let ttl = guarded(|| (errors.ttl)(self.result))??;
        let ttl = capped(ttl);
        if ttl < SHORTEST || self.is_outdated() {
            return None;
        }
        let callsite = self.key.callsite();
        let content = errors.content(self.result, callsite);
        let record = self.head(token, stamps).record(self.cache, self.key, &content);
        let record = record.inspect_err(|unfit| unfit.tell(self.cache, callsite));
        let mut record = record.ok()?;
        if errors.wire.is_none() {
            let error = self.shared_error()?;
            if !self.cache.errors().keep(token, callsite, error, ttl) {
                return None;
            }
        }
        record::set_error(&mut record);
        Some(Fill::new(record, ttl, Duration::ZERO))
    }

    fn head<'s>(&self, token: Token, stamps: &'s Standing) -> Head<'s> {
        let name = KeyHash::of(self.text);
        Head { name, token, stamps: stamps.stamps(), took: self.took }
    }

    /// How long the value is fresh, and how long it may be served after that; not at all if it is not to be stored.
    fn times(&self, value: &T) -> Option<(Duration, Duration)> {
        entry::times(self.key, value, self.returns.is_absent, |value| {
            self.unless.is_some_and(|unless| unless(value)) || self.key.excludes(value)
        })
    }
}

/// Polls a body, and meanwhile renews what was granted for `granted`.
pub(super) async fn keeping<B: Future, K: Future<Output = ()> + Unpin>(
    mut body: Pin<&mut B>,
    granted: Duration,
    renew: impl Fn() -> K,
) -> B::Output {
    loop {
        tokio::select! {
            biased;
            result = &mut body => return result,
            () = sleep(granted / 3) => {}
        }
        tokio::select! {
            biased;
            result = &mut body => return result,
            () = renew() => {}
        }
    }
}

/// Runs a piece of the user's code (`Serialize`, `Deserialize`, a closure of the attribute) whose panic must not cost
/// the caller the value that its function returns.
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}
