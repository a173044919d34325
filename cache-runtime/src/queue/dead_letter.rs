//! Items that no attempt could deliver.

use super::Position;

/// An item that its sink refused `max_attempts` times, or that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter<T> {
    /// The item; `None` if its bytes cannot be decoded.
    pub item: Option<T>,
    /// Its key; empty if the queue has none.
    pub key: String,
    /// Its partition.
    pub partition: u32,
    /// Its position when it was given up.
    pub position: Position,
    /// When it was pushed; see [`Versioned`](super::Versioned).
    pub version: i64,
    /// The sink's last error, truncated to a kilobyte.
    pub error: String,
    /// How often the sink was given the item by itself; 0 if it cannot be decoded.
    pub attempts: u32,
}
