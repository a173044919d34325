//! The static that `#[write_behind]` leaves behind: a queue's name and options.

use std::time::Duration;

use crate::codec::Codec;
use crate::policy::Callsite;
use crate::policy::options::options;
use crate::support::span::{capped, positive};

/// How often the sink is given an item by itself, while it takes others, if nothing else is asked
/// for: that lasts half a minute at least.
pub(crate) const MAX_ATTEMPTS: u32 = 8;

/// What an attribute says about its queue. Built at compile time, one static per function.
#[derive(Debug)]
pub struct QueueSite {
    /// The function, for the times of its puts and for what is counted and logged of its items.
    pub(crate) callsite: Callsite,
    pub(crate) name: &'static str,
    pub(crate) options: Options,
}

options! {
    /// The options that do not depend on an item.
    struct Options in QueueSite.options;

    /// Most items that the sink gets at once.
    batch: usize = 500, at_least_one;

    /// How long a first item waits for company.
    linger: Duration = Duration::from_millis(100), capped(linger_ms);

    /// In how many partitions items are put by their keys.
    partitions: u32 = 8, at_least_one;

    /// Most items in the queue; unbounded where there is none.
    max_len: Option<u64> = None, Some(value: u64);

    /// How long a push waits for room, and for an answer that was lost.
    push_timeout: Duration = Duration::from_secs(5), capped(push_timeout_ms);

    /// How often the sink is tried with an item by itself before that becomes a dead letter.
    max_attempts: u32 = MAX_ATTEMPTS, by_hand;

    /// `max_attempts` is not the default.
    is_number_given: bool = false, by_hand;

    /// How many workers in a row may end while the sink has an item, without a word from it, before
    /// that becomes a dead letter.
    max_deliveries: u32 = 10, at_least_one;

    /// Replicas that must have an item before its push is acknowledged.
    replicas: u32 = 0, value;

    /// Whether a push that finds the store unavailable hands the item to the sink; otherwise it
    /// fails.
    direct: bool = true, flag(unavailable_is_error);

    /// Every item reaches the sink, also where a newer one has the same key.
    keep_all: bool = false, flag(keep_all);

    /// How long a partition stays without an owner when its worker has crashed.
    lease: Duration = Duration::from_secs(5), positive(lease_ms, "lease = \"5s\"");

    /// How long one call of the sink may take before it has failed.
    sink_timeout: Option<Duration> =
        None, Some(positive(sink_timeout_ms, "sink_timeout = \"30s\""));

    /// How items become bytes.
    codec: Option<Codec> = None, Some(value: Codec);

    /// Version of the items' type.
    version: u32 = 0, value;
}

impl QueueSite {
    /// The queue `name` of a function.
    #[must_use]
    #[track_caller]
    pub const fn new(function: &'static str, name: &'static str) -> Self {
        Self { callsite: Callsite::new(function, ""), name, options: Options::DEFAULT }
    }

    /// How often the sink is tried with an item by itself before that becomes a dead letter.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.options.max_attempts = if attempts == 0 { 1 } else { attempts };
        self.options.is_number_given = true;
        self
    }

    /// Items may reach the sink as serde writes them.
    #[must_use]
    pub const fn lossy_values(mut self) -> Self {
        self.callsite.accept_lossy_values();
        self
    }
}
