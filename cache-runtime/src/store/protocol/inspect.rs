//! Looking at a key as somebody who does not use the entry: for operators.

use std::time::Duration;

use bytes::Bytes;

use crate::store::protocol::request::{Effect, Request};

/// Looks at what a key holds, whoever stored it and whatever it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inspect {
    /// How many of its first bytes are wanted.
    pub(crate) most: usize,
}

impl Request for Inspect {
    /// None if the key holds nothing.
    type Reply = Option<Inspected>;
    const EFFECT: Effect = Effect::Reads;
}

/// What a key holds.
#[derive(Clone, Debug)]
pub(crate) struct Inspected {
    /// Its type, as Redis calls it.
    pub(crate) data_type: String,
    /// Its first bytes; empty if it is no string.
    pub(crate) head: Bytes,
    /// How many bytes it has. Of what is no string, how many it takes on the server, if that says
    /// so.
    pub(crate) size: Option<u64>,
    /// For how long it is kept; none: until somebody removes it.
    pub(crate) left: Option<Duration>,
    /// It was stored by another primary than the one whose values alone count.
    pub(crate) is_distrusted: bool,
}
