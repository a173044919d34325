//! Why the last call of this process that missed an entry did.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::Serialize;

use crate::engine::misses::Miss;
use crate::inspect::millis::as_ms;
use crate::inspect::sentences::Span;
use crate::metrics::{MissReason, UncachedReason};

/// The last call of a cached function, in this process, that found no value of the entry which it
/// could use, or ran its body without looking for one.
///
/// Some hundred entries are remembered, and those that have missed last among them, so this is
/// about what happened lately. Nothing is known of calls in other processes. A call that was
/// bypassed has not missed, nor has a [`Cache::get`](crate::Cache::get), which runs no body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastMiss {
    /// Why the lookup found nothing. `None`: nothing was looked for, or there was no answer.
    pub missed: Option<MissReason>,
    /// Why the body could not store its value either. `None`: it could.
    pub uncached: Option<UncachedReason>,
    /// How long ago that was.
    #[serde(rename = "ago_ms", serialize_with = "as_ms")]
    pub ago: Duration,
    /// The function that was called; `by hand` for a load by hand of a key without one.
    pub function: &'static str,
}

impl From<Miss> for LastMiss {
    fn from(Miss { callsite, missed, uncached, at }: Miss) -> Self {
        Self { missed, uncached, ago: at.elapsed(), function: callsite.name() }
    }
}

impl Display for LastMiss {
    /// The predicate of "this process ..".
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "last missed it {} ago in `{}`", Span(self.ago), self.function)?;
        match (self.missed.map(of_lookup), self.uncached.map(of_fill)) {
            (Some(missed), Some(uncached)) => write!(f, ", since {missed} and {uncached}"),
            (reason, None) | (None, reason) => {
                reason.map_or(Ok(()), |reason| write!(f, ", since {reason}"))
            }
        }
    }
}

fn of_lookup(reason: MissReason) -> &'static str {
    match reason {
        MissReason::Absent => "there was no value",
        MissReason::Expired => "the value was past its time to live",
        MissReason::Tag => "one of its tags had been invalidated or was being written",
        MissReason::VersionOrCodec => "the value had another version or codec",
        MissReason::Undecodable => "the value could not be decoded",
        MissReason::Oversized => "the value was larger than `max_value_bytes`",
        MissReason::Foreign => "the key held another program's data",
        MissReason::Misplaced => "the value had been stored for another key",
        MissReason::OtherPrimary => "the value had been stored by another primary",
    }
}

fn of_fill(reason: UncachedReason) -> &'static str {
    match reason {
        UncachedReason::Fenced => "a write was under way",
        UncachedReason::Outdated => "an invalidation had not been delivered yet",
        UncachedReason::Unavailable => "the store did not answer or refused",
        UncachedReason::NotGranted => "the store granted no lease",
        UncachedReason::Impatient => "another load took longer than `wait`",
        UncachedReason::Unshared => "the load that it waited for failed or was of no use to it",
    }
}
