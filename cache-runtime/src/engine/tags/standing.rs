//! What stands in the keys of tags.

use crate::record::{Stamp, Value};

/// What the keys of an entry's tags hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A stamp in each.
    Stamps(Vec<Stamp>),
    /// Nothing in one of them.
    Missing,
    /// A fence, or foreign data, in one of them: no entry with this tag may be read or stored.
    Fenced,
}

impl Standing {
    /// Of an entry without tags.
    pub(crate) const fn none() -> Self {
        Self::Stamps(Vec::new())
    }

    pub(crate) fn stamps(&self) -> &[Stamp] {
        match self {
            Self::Stamps(stamps) => stamps,
            Self::Missing | Self::Fenced => &[],
        }
    }

    /// The value as a stale one, if it was stored under these stamps and former ones. A tag's
    /// server has a clock of its own, so it is fresh until `now_ms` at most, whatever that says.
    pub(crate) fn made_stale(&self, value: Value, now_ms: u64) -> Option<Value> {
        let Self::Stamps(stamps) = self else { return None };
        let since_ms = value.stale_since_ms(stamps)?;
        Some(value.fresh_until(since_ms.min(now_ms)))
    }

    /// Whether all stamps are there, and the same as those.
    pub(crate) fn are_same(&self, those: &Self) -> bool {
        let tokens = |standing: &Self| -> Vec<_> {
            standing.stamps().iter().map(|stamp| (stamp.tag, stamp.token)).collect()
        };
        matches!(self, Self::Stamps(_)) && tokens(self) == tokens(those)
    }

    /// Whether a value was stored under exactly these stamps.
    pub(crate) fn are_those_of(&self, value: &Value) -> bool {
        matches!(self, Self::Stamps(stamps) if value.has_stamps(stamps))
    }
}
