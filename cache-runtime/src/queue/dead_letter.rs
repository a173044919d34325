//! Items that no attempt could deliver.

use super::Position;

/// An item that its sink refused [`max_attempts`](crate::Queue) times, or that does not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter<T> {
    /// The item; none where its bytes do not decode.
    pub item: Option<T>,
    /// Its key; empty where the queue has none.
    pub key: String,
    /// Its partition.
    pub partition: u32,
    /// Where it stood when it was given up.
    pub position: Position,
    /// When it was pushed; see [`Versioned`](super::Versioned).
    pub version: i64,
    /// The sink's last error, cut at a kilobyte.
    pub error: String,
    /// How often the sink was tried with it by itself; not at all where it does not decode.
    pub attempts: u32,
}
