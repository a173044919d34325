//! The second and third stage of a call: runs the body, and stores what it returns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use super::ending::Ending;
use super::lease::Lease;
use crate::cache::Cache;
use crate::codec::Schema;
use crate::entry::{self, Head};
use crate::flight::{Landing, Leader, Mark};
use crate::key::Key;
use crate::outcome::{Returns, SharedError};
use crate::record::{self, KeyHash, Value};
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
    pub(super) fn end<R, T, U: Fn(&T) -> bool>(
        self,
        loaded: &Loaded<'_, R, T, U>,
    ) -> Option<Ending> {
        let (lease, seen, beside) = match self {
            Self::Alone => return None,
            Self::Around(leader, mark) => {
                let landing = loaded.landing(leader.is_awaited(), mark);
                leader.land(&landing);
                return None;
            }
            Self::Leased(lease) => (lease, None, false),
            Self::Replace(lease, seen) => (lease, Some(seen), false),
            Self::Over(lease, value) if loaded.value().is_none() => {
                return Some(Ending::Keep(lease, value, loaded.shared_error()));
            }
            Self::Over(lease, value) => (lease, Some(value.token()), true),
        };
        let Some(value) = loaded.value() else {
            // Only where there is nothing; never in place of a value.
            if seen.is_none()
                && let Some(fill) = loaded.error(lease.token(), lease.stamps())
            {
                return Some(Ending::Store(lease, None, fill));
            }
            lease.fail(loaded.shared_error());
            return None;
        };
        let record = loaded.encode(value, lease.token(), lease.stamps());
        match (record, loaded.times(value), seen) {
            (Some(record), Some((fresh, stale)), _) if !loaded.is_outdated() => {
                Some(Ending::Store(lease, seen, Fill::new(record, fresh, stale)))
            }
            (record, _, Some(seen)) if beside => {
                Some(Ending::Remove(lease, seen, record.map(Bytes::from)))
            }
            (Some(record), ..) => {
                lease.decline(Bytes::from(record));
                None
            }
            // It cannot be shared: as after a failure, the waiters should not have to load one after the other.
            (None, ..) => {
                lease.fail(None);
                None
            }
        }
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

    /// What waiters get from a load that is not stored.
    fn landing(&self, awaited: bool, mark: Mark) -> Landing {
        match self.value() {
            None => Landing::Failed(self.shared_error(), mark),
            Some(value) if awaited => {
                match self.encode(value, Token::random(), &self.tags.unstamped()) {
                    Some(record) => Landing::Value(Some(Bytes::from(record)), mark),
                    None => Landing::Failed(None, mark),
                }
            }
            Some(_) => Landing::Value(None, mark),
        }
    }

    /// The value's record, unless it cannot be encoded or is too large.
    fn encode(&self, value: &T, token: Token, stamps: &Standing) -> Option<Vec<u8>> {
        let encode = |schema, out: &mut _| self.returns.encode(value, schema, out);
        self.head(token, stamps).record(self.cache, self.key, encode)
    }

    /// The record of an error, if it is to be remembered.
    fn error(&self, token: Token, stamps: &Standing) -> Option<Fill> {
        let errors = (self.returns.errors?)();
        let ttl = guarded(|| (errors.ttl)(self.result))??;
        if ttl < Duration::from_millis(1) || self.is_outdated() {
            return None;
        }
        let encode = |schema: Schema, out: &mut _| match &errors.wire {
            Some(wire) => (wire.encode)(self.result, schema.codec, out),
            None => Ok(()),
        };
        let mut record = self.head(token, stamps).record(self.cache, self.key, encode)?;
        if errors.wire.is_none() && !self.cache.errors().keep(token, self.shared_error()?, ttl) {
            return None;
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
