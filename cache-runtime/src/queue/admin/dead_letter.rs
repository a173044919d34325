//! Items that no attempt could deliver.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::store::queue::{Death, Position};

/// An item that its sink refused for good or `max_attempts` times, or that cannot be decoded, or
/// has another version or type than the worker reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter<T> {
    /// What [`redrive_one`](crate::queue::Queue::redrive_one),
    /// [`discard`](crate::queue::Queue::discard) and
    /// [`dead_letters_after`](crate::queue::Queue::dead_letters_after) take.
    pub id: DeadLetterId,
    /// The item; `None` if its bytes cannot be decoded, or are those of another version or type
    /// than this queue's.
    pub item: Option<T>,
    /// Why there is no `item`, as far as this process can tell. It may quote the bytes.
    pub unreadable: Option<String>,
    /// The item as its codec wrote it, readable text if that is JSON, also where it cannot be
    /// decoded. Empty if somebody took it out of the queue by hand.
    pub bytes: Vec<u8>,
    /// Its key; empty if the queue has none.
    pub key: String,
    /// Its partition.
    pub partition: u32,
    /// Its position when it was given up.
    pub position: Position,
    /// When it was given up, by the server's clock, to the millisecond.
    pub died: SystemTime,
    /// When it was pushed; see [`Versioned`](crate::queue::Versioned).
    pub version: i64,
    /// The sink's last error, truncated to a kilobyte, or why the sink was not given the item.
    pub error: String,
    /// How often the sink was given the item by itself; 0 if it was never given it.
    pub attempts: u32,
}

/// Names a dead letter of a queue.
///
/// Its text is the number of its partition, a colon, and its id as Redis shows it: the letter
/// `3:1800000000000-0` of the queue `logins` is the entry `1800000000000-0` of the stream
/// `wb:{logins:3}:dead`. Ids are ordered by partition, and in a partition by the time of death.
///
/// ```
/// # use cache_runtime::queue::DeadLetterId;
/// let id: DeadLetterId = "3:1800000000000-0".parse()?;
/// assert_eq!((id.partition(), id.to_string()), (3, "3:1800000000000-0".to_owned()));
/// # Ok::<(), cache_runtime::queue::ParseDeadLetterIdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId {
    partition: u32,
    death: Death,
}

/// The error for text that is not a [`DeadLetterId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDeadLetterIdError(());

impl DeadLetterId {
    pub(in crate::queue) fn new(partition: u32, death: Death) -> Self {
        Self { partition, death }
    }

    pub(in crate::queue) fn death(self) -> Death {
        self.death
    }

    /// The partition of the letter.
    #[must_use]
    pub fn partition(self) -> u32 {
        self.partition
    }

    pub(in crate::queue) fn died(self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.death.ms)).unwrap_or(UNIX_EPOCH)
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.death)
    }
}

impl FromStr for DeadLetterId {
    type Err = ParseDeadLetterIdError;

    fn from_str(text: &str) -> Result<Self, ParseDeadLetterIdError> {
        let parse = || {
            let (partition, death) = text.split_once(':')?;
            let (ms, sequence) = death.split_once('-')?;
            let death = Death { ms: ms.parse().ok()?, sequence: sequence.parse().ok()? };
            Some(Self::new(partition.parse().ok()?, death))
        };
        parse().filter(|id| id.to_string() == text).ok_or(ParseDeadLetterIdError(()))
    }
}

impl Serialize for DeadLetterId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeadLetterId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for ParseDeadLetterIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a dead letter: write it as in `3:1800000000000-0`")
    }
}

impl std::error::Error for ParseDeadLetterIdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_other_texts_are_none() {
        for text in ["0:0-0", "3:1800000000000-12", "4294967295:18446744073709551615-1"] {
            let id: DeadLetterId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<DeadLetterId>(&json).ok(), Some(id));
        }
        for text in ["", ":", "1-1", "0:1", "0:01-1", "+1:1-1", "4294967296:1-1", "0:1-1 "] {
            assert!(text.parse::<DeadLetterId>().is_err(), "{text}");
        }
    }
}
