//! How a call ended, for its caller.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::engine::report::Lifetime;
use crate::metrics::{Ending, MissReason, NotStored, OutcomeKind, UncachedReason};

/// How one call of a cached function ended; from [`CallExt::outcome`](crate::CallExt::outcome).
///
/// For a batch it sums up the ids: the kind is that of the id that was served worst, in the order
/// of [`OutcomeKind`], the age that of the oldest value, and the time left that of the one that
/// ends first. Of a future that calls no cached function the kind is `bypassed`.
///
/// `Display` and serde show all of it, and no key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub(super) kind: OutcomeKind,
    pub(super) uncached: Option<UncachedReason>,
    pub(super) missed: Option<MissReason>,
    #[serde(rename = "age_ms", serialize_with = "as_ms")]
    pub(super) age: Option<Duration>,
    pub(super) ttl_left_ms: Option<i64>,
    pub(super) tags: Vec<String>,
    pub(super) is_stored: bool,
    pub(super) not_stored: Option<NotStored>,
    /// Whether `kind` is that of a call, and not of none.
    #[serde(skip)]
    is_known: bool,
}

impl Outcome {
    /// What became of the call.
    #[must_use]
    pub const fn kind(&self) -> OutcomeKind {
        self.kind
    }

    /// Why the body ran although the cache was to be used, if the kind is `uncached`.
    #[must_use]
    pub const fn uncached(&self) -> Option<UncachedReason> {
        self.uncached
    }

    /// Why the lookup found nothing, if it did.
    #[must_use]
    pub const fn missed(&self) -> Option<MissReason> {
        self.missed
    }

    /// How long ago the value was stored, by the store's clock; zero if this call has loaded it.
    /// `None` if another call of this process has.
    #[must_use]
    pub const fn age(&self) -> Option<Duration> {
        self.age
    }

    /// For how long the value is fresh; zero if it is stale. `None` if it is not stored, or another
    /// call of this process has loaded it.
    #[must_use]
    pub fn ttl_left(&self) -> Option<Duration> {
        self.ttl_left_ms.map(|left| Duration::from_millis(left.try_into().unwrap_or_default()))
    }

    /// The entry's tags, as they are written in templates: `org:7`. A call that did not find out
    /// which tags its value tells knows only those of its key.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Whether this call has stored the value that it returned.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// Why not, if its body ran.
    #[must_use]
    pub const fn not_stored(&self) -> Option<NotStored> {
        self.not_stored
    }

    /// The call has ended so, or one of several: what was served worst counts.
    pub(super) fn end(
        &mut self,
        ending: Ending,
        found: Option<&Lifetime>,
        filling: Option<&Lifetime>,
    ) {
        let Ending { kind, why, .. } = ending;
        if self.is_known && rank(kind) <= rank(self.kind) {
            return;
        }
        (self.is_known, self.kind, self.uncached) = (true, kind, why);
        let has_loaded = match kind {
            OutcomeKind::Loaded => Some(NotStored::Excluded),
            OutcomeKind::Bypassed | OutcomeKind::Uncached => Some(NotStored::NoRight),
            _ => None,
        };
        self.not_stored = match has_loaded {
            Some(otherwise) if !self.is_stored => self.not_stored.or(Some(otherwise)),
            _ => None,
        };
        let lifetime = match kind {
            OutcomeKind::Hit | OutcomeKind::Stale => found,
            OutcomeKind::Loaded if self.is_stored => filling,
            _ => None,
        };
        let is_new = has_loaded.map(|_| Duration::ZERO);
        self.age = lifetime.map(|lifetime| lifetime.age).or(is_new);
        self.ttl_left_ms = lifetime.map(|lifetime| lifetime.left_ms);
    }
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            kind: OutcomeKind::Bypassed,
            uncached: None,
            missed: None,
            age: None,
            ttl_left_ms: None,
            tags: Vec::new(),
            is_stored: false,
            not_stored: None,
            is_known: false,
        }
    }
}

/// How badly a call was served.
fn rank(kind: OutcomeKind) -> Option<usize> {
    OutcomeKind::ALL.iter().position(|it| *it == kind)
}

/// `hit, 12 s old, fresh for 48 s`
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(why) = self.uncached {
            write!(f, " ({why})")?;
        }
        if let Some(reason) = self.missed {
            write!(f, ", missed ({reason})")?;
        }
        if let Some(age) = self.age.filter(|age| !age.is_zero()) {
            write!(f, ", {age:?} old")?;
        }
        if let Some(left) = self.ttl_left_ms {
            let state = if left < 0 { "stale" } else { "fresh" };
            write!(f, ", {state} for {:?}", Duration::from_millis(left.unsigned_abs()))?;
        }
        if self.is_stored {
            f.write_str(", stored")?;
        }
        if let Some(why) = self.not_stored {
            write!(f, ", not stored ({why})")?;
        }
        if !self.tags.is_empty() {
            write!(f, ", tags {}", self.tags.join(", "))?;
        }
        Ok(())
    }
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn as_ms<S: serde::Serializer>(age: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    age.map(|age| age.as_millis()).serialize(to)
}
