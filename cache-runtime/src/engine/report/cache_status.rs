//! `Cache-Status`: RFC 9211, "The Cache-Status HTTP Response Header Field".

use std::fmt::Write as _;

use crate::engine::report::Outcome;
use crate::metrics::{MissReason, NotStored, OutcomeKind, UncachedReason};

/// What this cache calls itself in the header.
const NAME: &str = "cache-runtime";

impl Outcome {
    /// The value of a `Cache-Status` header that tells a client of the service how its answer came
    /// about, after RFC 9211:
    ///
    /// | kind | header |
    /// |---|---|
    /// | `hit` | `cache-runtime; hit; ttl=48` |
    /// | `stale` | `cache-runtime; hit; ttl=-12` |
    /// | `coalesced` | `cache-runtime; fwd=miss; collapsed` |
    /// | `loaded` | `cache-runtime; fwd=miss; stored; ttl=60`; `fwd=stale` if the value had expired |
    /// | `bypassed` | `cache-runtime; fwd=bypass` |
    /// | `uncached` | `cache-runtime; fwd=miss; detail=fenced`, with the reason |
    /// | `shed`, `cancelled` | `cache-runtime; detail=shed` |
    ///
    /// `ttl` is in seconds, and negative past the end. A value that was not stored has its reason
    /// as `detail`. There is no key in it. An answer made of several calls has several members,
    /// separated by commas.
    #[must_use]
    pub fn cache_status(&self) -> String {
        let mut header = NAME.to_owned();
        header.push_str(match (self.kind, self.missed) {
            (OutcomeKind::Hit | OutcomeKind::Stale, _) => "; hit",
            (OutcomeKind::Loaded, Some(MissReason::Expired)) => "; fwd=stale",
            (OutcomeKind::Loaded | OutcomeKind::Uncached, _) => "; fwd=miss",
            (OutcomeKind::Coalesced, _) => "; fwd=miss; collapsed",
            (OutcomeKind::Bypassed, _) => "; fwd=bypass",
            (OutcomeKind::Shed | OutcomeKind::Cancelled, _) => "",
        });
        if self.is_stored {
            header.push_str("; stored");
        }
        // Rounded towards the past: a client may take it for fresh no longer than it is.
        if let Some(left) = self.ttl_left_ms.map(|left| left.div_euclid(1000)) {
            _ = write!(header, "; ttl={left}");
        }
        let detail = match self.kind {
            OutcomeKind::Uncached => self.uncached.map(UncachedReason::as_str),
            OutcomeKind::Loaded => self.not_stored.map(NotStored::as_str),
            OutcomeKind::Shed | OutcomeKind::Cancelled => Some(self.kind.as_str()),
            _ => None,
        };
        if let Some(detail) = detail {
            _ = write!(header, "; detail={detail}");
        }
        header
    }
}
