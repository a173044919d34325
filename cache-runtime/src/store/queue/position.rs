//! Where an item stands in its partition.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The place of an item in its partition. Later items have greater positions, even after a failover and after Redis
/// has lost the queue.
///
/// A sink stores it together with what it writes, in the same transaction; see [`Batch::after`](crate::queue::Batch::after).
/// Its text always has the same length and sorts in the same order as the positions:
///
/// ```
/// # use cache_runtime::queue::Position;
/// let position: Position = "0000000193a5-00000000000000000007".parse().unwrap_or_default();
/// assert!(position.to_string() < "0000000193a5-00000000000000000010".to_owned());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Begins anew, and greater, whenever the queue may have lost its last items.
    pub(crate) generation: u64,
    /// Counts the items of a generation.
    pub(crate) number: u64,
}

impl Position {
    /// The id that the item had in the stream of its partition, as Redis shows it: `1800000000000-7`. It does not sort as
    /// text.
    #[must_use]
    pub fn stream_id(&self) -> String {
        format!("{}-{}", self.generation, self.number)
    }
}

/// The error for text that is not a [`Position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsePositionError(());

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}-{:020}", self.generation, self.number)
    }
}

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let parse = || {
            let (generation, number) = text.split_once('-')?;
            let generation = u64::from_str_radix(generation, 16).ok()?;
            Some(Self { generation, number: number.parse().ok()? })
        };
        parse().filter(|position| position.to_string() == text).ok_or(ParsePositionError(()))
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for ParsePositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a position of a queue")
    }
}

impl std::error::Error for ParsePositionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_sort_as_positions_do_and_read_back() {
        let numbers = [0, 1, 9, 10, 99, u64::from(u32::MAX), u64::MAX];
        let generations = [0, 1, 0xf, 0x10, 1_800_000_000_000];
        let positions: Vec<_> = generations
            .into_iter()
            .flat_map(|generation| numbers.map(|number| Position { generation, number }))
            .collect();
        assert!(positions.is_sorted());
        let texts: Vec<_> = positions.iter().map(Position::to_string).collect();
        assert!(texts.is_sorted());
        for (position, text) in positions.iter().zip(&texts) {
            assert_eq!(text.parse(), Ok(*position));
            let json = serde_json::to_string(position).unwrap_or_default();
            assert_eq!(serde_json::from_str::<Position>(&json).ok(), Some(*position));
        }
    }

    #[test]
    fn other_texts_are_no_positions() {
        for text in
            ["", "-", "1-1", "0000000193a5", "0000000193a5-7", "0000000193A5-00000000000000000007"]
        {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
