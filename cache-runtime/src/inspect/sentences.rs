//! What is known of an entry, in words.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::inspect::content::{KeyContent, StoredValue};
use crate::inspect::explanation::{EntryTag, Explanation, Obstacle, ReleaseBeside, TagState};

impl Display for Explanation {
    /// What the key holds, whose it is, its tags, what a call would do, and why one missed. One
    /// sentence each.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` holds {}.", self.key, self.content)?;
        match self.functions.as_slice() {
            [] => {}
            [function] => write!(f, " It is an entry of `{function}`.")?,
            several => write!(f, " It may be an entry of {}.", list(several.iter().map(quoted)))?,
        }
        if !self.tags.is_empty() {
            write!(f, " Its tags: {}.", list(self.tags.iter()))?;
        }
        if let Some(ReleaseBeside { stored_as, content }) = &self.beside {
            write!(f, " Beside it, `{stored_as}` holds {content}.")?;
        }
        match self.obstacle {
            None => f.write_str(" A call is served this value.")?,
            Some(obstacle) => write!(f, " A call {obstacle}.")?,
        }
        match &self.last_miss {
            None => Ok(()),
            Some(miss) => write!(f, " This process {miss}."),
        }
    }
}

impl Display for KeyContent {
    /// The object of "the key holds ..".
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Value(value) => value.fmt(f),
            Self::Stamp { age, left } => {
                write!(f, "the stamp of a tag, made {} ago, kept {}", Span(*age), Kept(*left))
            }
            Self::Lease { left } => {
                write!(f, "the lease of a load, which stands {} unless renewed", Kept(*left))
            }
            Self::Fence { writers, left } => write!(
                f,
                "the fence of {writers} write{}, which stands {} unless renewed",
                if *writers == 1 { "" } else { "s" },
                Kept(*left)
            ),
            Self::Tombstone { left } => {
                write!(f, "no value yet: a write keeps it empty {}", Kept(*left))
            }
            Self::Damaged { bytes } => {
                write!(f, "{} that are a record of no format known here", Bytes(*bytes))
            }
            Self::Misplaced { bytes } => {
                write!(f, "a value of {} that was stored for another key", Bytes(*bytes))
            }
            Self::Foreign { data_type, bytes, left } => {
                write!(f, "another program's {data_type}")?;
                if let Some(bytes) = bytes {
                    write!(f, " of {}", Bytes(*bytes))?;
                }
                write!(f, ", kept {}", Kept(*left))
            }
        }
    }
}

impl Display for StoredValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { bytes, codec, version, is_error, age, load, fresh, stale, left } = self;
        let what = if *is_error { "a remembered error" } else { "a value" };
        write!(f, "{what} of {} ({codec}, version {version})", Bytes(*bytes))?;
        write!(f, ", stored {} ago after a load of {}", Span(*age), Span(*load))?;
        match (fresh.is_zero(), stale.is_zero(), left) {
            (_, _, None) => {
                write!(f, ", fresh for another {} and kept until it is removed", Span(*fresh))
            }
            (false, true, _) => write!(f, ", fresh for another {}", Span(*fresh)),
            (false, false, _) => write!(
                f,
                ", fresh for another {} and kept for {} after that",
                Span(*fresh),
                Span(*stale)
            ),
            (true, _, Some(left)) => {
                write!(f, ", no longer fresh and kept for another {}", Span(*left))
            }
        }
    }
}

impl Display for EntryTag {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.tag {
            Some(tag) => write!(f, "`{tag}` ({})", self.state),
            None => write!(f, "one that the key does not name ({})", self.state),
        }
    }
}

impl Display for TagState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "not invalidated since",
            Self::MadeStale => "invalidated since, and the value kept as a stale one",
            Self::Invalidated => "invalidated since",
            Self::Lost => "lost since, as by eviction",
            Self::BeingWritten => "being written",
            Self::Lacking => "which the value lacks",
            Self::Unknown => "it cannot be told whether it was invalidated",
        })
    }
}

impl Display for Obstacle {
    /// The predicate of "a call ..".
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "runs its body, since the cache is disabled",
            Self::Undelivered => {
                "of this process runs its body, since an invalidation has not been delivered yet"
            }
            Self::Absent => "runs its body and stores the value",
            Self::Loading => "waits for that load, or runs its body and stores nothing",
            Self::BeingWritten => "runs its body and stores nothing until the writes have ended",
            Self::HeldOff => "runs its body and stores nothing until then",
            Self::Foreign => "runs its body and leaves that alone",
            Self::Damaged | Self::Misplaced => "runs its body and replaces that",
            Self::Tag => "has no such entry",
            Self::OtherPrimary => {
                "runs its body, since the value was stored by another primary, which does not count"
            }
            Self::TagBeingWritten => {
                "runs its body and stores nothing until the writes of its tags have ended"
            }
            Self::TagInvalidated => "runs its body and replaces the value",
            Self::OtherTags => "does not use the value, which was stored with other tags",
            Self::OtherRelease => {
                "does not use the value, which has another codec or version than its function"
            }
            Self::Oversized => "runs its body, since the value is larger than `max_value_bytes`",
            Self::Stale => {
                "is served this value only by `stale_while_revalidate` or `stale_if_error`"
            }
        })
    }
}

/// `a, b and c`
fn list<T: Display>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    match items.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        items => items.join(", "),
    }
}

fn quoted(name: &&'static str) -> String {
    format!("`{name}`")
}

/// A duration in its two largest units.
pub(super) struct Span(pub(super) Duration);

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.as_secs(), self.0.subsec_millis());
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        match (days, hours, minutes, seconds) {
            (0, 0, 0, 0) => write!(f, "{millis} ms"),
            (0, 0, 0, _) => write!(f, "{seconds}.{} s", millis / 100),
            (0, 0, ..) => write!(f, "{minutes} min {} s", seconds % 60),
            (0, ..) => write!(f, "{hours} h {} min", minutes % 60),
            _ => write!(f, "{days} d {} h", hours % 24),
        }
    }
}

/// How long something stays.
struct Kept(Option<Duration>);

impl Display for Kept {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(left) => write!(f, "for another {}", Span(left)),
            None => f.write_str("until it is removed"),
        }
    }
}

/// A size, in the largest unit of which it has ten.
pub(super) struct Bytes(pub(super) u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 byte"),
            bytes if bytes < 10 << 10 => write!(f, "{bytes} bytes"),
            bytes if bytes < 10 << 20 => write!(f, "{} KiB", bytes >> 10),
            bytes if bytes < 10 << 30 => write!(f, "{} MiB", bytes >> 20),
            bytes => write!(f, "{} GiB", bytes >> 30),
        }
    }
}
