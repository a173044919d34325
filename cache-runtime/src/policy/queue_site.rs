//! The static that `#[write_behind]` leaves behind: a queue's name and options.

use std::time::Duration;

use crate::codec::Codec;
use crate::policy::Callsite;
use crate::support::span::{capped, positive};

/// How often the sink is given an item by itself, while it takes others, if nothing else is asked for: that lasts half a minute
/// at least.
pub(crate) const MAX_ATTEMPTS: u32 = 8;

/// What an attribute says about its queue. Built at compile time, one static per function.
#[derive(Debug)]
pub struct QueueSite {
    /// The function, for the times of its puts and for what is counted and told of its items.
    pub(crate) callsite: Callsite,
    pub(crate) name: &'static str,
    pub(crate) options: Options,
}

/// The options that do not depend on an item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Most items that the sink gets at once.
    pub(crate) batch: usize,
    /// How long a first item waits for company.
    pub(crate) linger: Duration,
    pub(crate) partitions: u32,
    /// Most items in the queue; unbounded where there is none.
    pub(crate) max_len: Option<u64>,
    /// How long a push waits for room, and for an answer that was lost.
    pub(crate) push_timeout: Duration,
    /// How often the sink is tried with an item by itself.
    pub(crate) max_attempts: u32,
    /// It is not the default.
    pub(crate) is_number_given: bool,
    /// How many workers in a row may end while the sink has an item.
    pub(crate) max_deliveries: u32,
    /// Replicas that must have an item before its push is acknowledged.
    pub(crate) replicas: u32,
    /// A push that finds the store unavailable hands the item to the sink.
    pub(crate) direct: bool,
    /// Every item reaches the sink, also where a newer one has the same key.
    pub(crate) keep_all: bool,
    /// How long a partition stays without an owner when its worker has crashed.
    pub(crate) lease: Duration,
    /// How long one call of the sink may take.
    pub(crate) sink_timeout: Option<Duration>,
    pub(crate) codec: Option<Codec>,
    /// Of the items' type.
    pub(crate) version: u32,
}

impl QueueSite {
    /// The queue `name` of a function.
    #[must_use]
    #[track_caller]
    pub const fn new(function: &'static str, name: &'static str) -> Self {
        let options = Options {
            batch: 500,
            linger: Duration::from_millis(100),
            partitions: 8,
            max_len: None,
            push_timeout: Duration::from_secs(5),
            max_attempts: MAX_ATTEMPTS,
            is_number_given: false,
            max_deliveries: 10,
            replicas: 0,
            direct: true,
            keep_all: false,
            lease: Duration::from_secs(5),
            sink_timeout: None,
            codec: None,
            version: 0,
        };
        Self { callsite: Callsite::new(function, ""), name, options }
    }

    /// Most items that the sink gets at once.
    #[must_use]
    pub const fn batch(mut self, items: usize) -> Self {
        self.options.batch = if items == 0 { 1 } else { items };
        self
    }

    /// How long a first item waits for company.
    #[must_use]
    pub const fn linger(mut self, linger: Duration) -> Self {
        self.options.linger = capped(linger);
        self
    }

    /// How long a first item waits for company, in milliseconds.
    #[must_use]
    pub const fn linger_ms(self, linger: u64) -> Self {
        self.linger(Duration::from_millis(linger))
    }

    /// In how many partitions items are put by their keys.
    #[must_use]
    pub const fn partitions(mut self, partitions: u32) -> Self {
        self.options.partitions = if partitions == 0 { 1 } else { partitions };
        self
    }

    /// Most items in the queue.
    #[must_use]
    pub const fn max_len(mut self, items: u64) -> Self {
        self.options.max_len = Some(items);
        self
    }

    /// How long a push waits for room, and for an answer that was lost.
    #[must_use]
    pub const fn push_timeout(mut self, wait: Duration) -> Self {
        self.options.push_timeout = capped(wait);
        self
    }

    /// How long a push waits, in milliseconds.
    #[must_use]
    pub const fn push_timeout_ms(self, wait: u64) -> Self {
        self.push_timeout(Duration::from_millis(wait))
    }

    /// How often the sink is tried with an item by itself before that becomes a dead letter.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.options.max_attempts = if attempts == 0 { 1 } else { attempts };
        self.options.is_number_given = true;
        self
    }

    /// How many workers in a row may end while the sink has an item, without a word from it, before that becomes a dead
    /// letter.
    #[must_use]
    pub const fn max_deliveries(mut self, workers: u32) -> Self {
        self.options.max_deliveries = if workers == 0 { 1 } else { workers };
        self
    }

    /// Replicas that must have an item before its push is acknowledged.
    #[must_use]
    pub const fn replicas(mut self, replicas: u32) -> Self {
        self.options.replicas = replicas;
        self
    }

    /// A push that finds the store unavailable fails.
    #[must_use]
    pub const fn unavailable_is_error(mut self) -> Self {
        self.options.direct = false;
        self
    }

    /// Every item reaches the sink.
    #[must_use]
    pub const fn keep_all(mut self) -> Self {
        self.options.keep_all = true;
        self
    }

    /// How long a partition stays without an owner when its worker has crashed.
    #[must_use]
    #[track_caller]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = positive(
            lease,
            "`lease` is less than a millisecond: write how long, as in `lease = \"5s\"`",
        );
        self
    }

    /// How long a partition stays without an owner when its worker has crashed, in milliseconds.
    #[must_use]
    pub const fn lease_ms(self, lease: u64) -> Self {
        self.lease(Duration::from_millis(lease))
    }

    /// How long one call of the sink may take before it has failed.
    #[must_use]
    #[track_caller]
    pub const fn sink_timeout(mut self, limit: Duration) -> Self {
        self.options.sink_timeout = Some(positive(
            limit,
            "`sink_timeout` is less than a millisecond: write how long, as in `sink_timeout = \"30s\"`",
        ));
        self
    }

    /// How long one call of the sink may take, in milliseconds.
    #[must_use]
    pub const fn sink_timeout_ms(self, limit: u64) -> Self {
        self.sink_timeout(Duration::from_millis(limit))
    }

    /// Version of the items' type.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.options.version = version;
        self
    }

    /// Items may reach the sink as serde writes them.
    #[must_use]
    pub const fn lossy_values(mut self) -> Self {
        self.callsite.accept_lossy_values();
        self
    }

    /// How items become bytes.
    #[must_use]
    pub const fn codec(mut self, codec: Codec) -> Self {
        self.options.codec = Some(codec);
        self
    }
}
