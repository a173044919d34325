//! The static that `#[write_behind]` leaves behind: a queue's name and options.

use std::time::Duration;

use super::backoff::MAX_ATTEMPTS;
use crate::codec::Codec;

/// What an attribute says about its queue. Built at compile time, one static per function.
#[derive(Debug)]
pub struct QueueSite {
    pub(crate) function: &'static str,
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
    /// Replicas that must have an item before its push is acknowledged.
    pub(crate) replicas: u32,
    /// A push that finds the store unavailable hands the item to the sink.
    pub(crate) direct: bool,
    /// Every item reaches the sink, also where a newer one has the same key.
    pub(crate) keep_all: bool,
    /// How long a partition stays without an owner when its worker has crashed.
    pub(crate) lease: Duration,
    pub(crate) codec: Option<Codec>,
}

impl QueueSite {
    /// The queue `name` of a function.
    #[must_use]
    pub const fn new(function: &'static str, name: &'static str) -> Self {
        let options = Options {
            batch: 500,
            linger: Duration::from_millis(100),
            partitions: 8,
            max_len: None,
            push_timeout: Duration::from_secs(5),
            max_attempts: MAX_ATTEMPTS,
            replicas: 0,
            direct: true,
            keep_all: false,
            lease: Duration::from_secs(5),
            codec: None,
        };
        Self { function, name, options }
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
        self.options.linger = linger;
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
        self.options.push_timeout = wait;
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
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease;
        self
    }

    /// How long a partition stays without an owner when its worker has crashed, in milliseconds.
    #[must_use]
    pub const fn lease_ms(self, lease: u64) -> Self {
        self.lease(Duration::from_millis(lease))
    }

    /// How items become bytes.
    #[must_use]
    pub const fn codec(mut self, codec: Codec) -> Self {
        self.options.codec = Some(codec);
        self
    }
}
