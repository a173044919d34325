//! What became of a value that was loaded and not stored.

use std::fmt;

use serde::Serialize;

use crate::metrics::Event;
use crate::metrics::names::names;

names! {
    /// Why a value that a call has loaded was not stored.
    pub enum NotStored {
        /// The body returned an error, which is not remembered.
        Failed = "failed",
        /// The function says so: by `unless`, `none_ttl` or a `ttl` of nothing.
        Excluded = "excluded",
        /// The entry was invalidated while the body ran: the value may be outdated.
        Invalidated = "invalidated",
        /// A tag was invalidated while the body ran, and the value tells tags that nobody knew
        /// before.
        Overlapped = "overlapped",
        /// The key is an alias, and which entity it leads to was known too late; the next load
        /// stores.
        Hinted = "hinted",
        /// It could not be encoded, or would have come back as another value.
        Unencodable = "unencodable",
        /// It is larger than `max_value_bytes`.
        Oversized = "oversized",
        /// The store did not answer, or refused.
        Unavailable = "unavailable",
        /// The call held no right to store, as
        /// [`Outcome::uncached`](crate::stats::Outcome::uncached) says; or it bypassed the cache.
        NoRight = "no_right",
    }
}

impl NotStored {
    /// What an event says about the fill; none if it is about something else.
    pub(crate) fn of(event: Event) -> Option<Self> {
        match event {
            Event::Refused => Some(Self::Invalidated),
            Event::Overlapped => Some(Self::Overlapped),
            Event::Hinted => Some(Self::Hinted),
            Event::Unencodable => Some(Self::Unencodable),
            Event::TooLarge => Some(Self::Oversized),
            Event::Down | Event::Saturated | Event::StoreRefused => Some(Self::Unavailable),
            _ => None,
        }
    }
}
