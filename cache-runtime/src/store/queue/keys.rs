//! The keys of queues in Redis.

/// The keys of one queue that are none of a partition.
#[derive(Clone, Debug)]
pub(crate) struct QueueKeys {
    /// What is known of its workers, and of the queue as a whole.
    pub(crate) workers: String,
    /// Over how many partitions the pushes to it are spread.
    pub(crate) layout: String,
    namespace: String,
    name: String,
}

impl QueueKeys {
    /// `namespace` is what the cache's keys begin with, `name` the queue's as it stands in keys.
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self {
            workers: format!("{namespace}wb:{{{name}}}:workers"),
            layout: format!("{namespace}wb:{{{name}}}:layout"),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The names of all queues of a namespace. No queue has a key like it, and no template makes
    /// one.
    pub(crate) fn list(namespace: &str) -> String {
        format!("{namespace}wb:{{}}queues")
    }

    /// The keys of a partition.
    pub(crate) fn lane(&self, partition: u32) -> Lane {
        Lane::new(&self.namespace, &self.name, partition)
    }
}

/// The keys of one partition, which share a slot of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) stream: String,
    pub(crate) clock: String,
    pub(crate) owner: String,
    pub(crate) dead: String,
}

impl Lane {
    /// Partition `number` of a queue. `namespace` is what the cache's keys begin with.
    pub(crate) fn new(namespace: &str, queue: &str, number: u32) -> Self {
        let stream = format!("{namespace}wb:{{{queue}:{number}}}");
        let with = |suffix: &str| format!("{stream}:{suffix}");
        Self { clock: with("clock"), owner: with("owner"), dead: with("dead"), stream }
    }

    /// What is known of the pushes of one process.
    pub(crate) fn producer(&self, producer: &str) -> String {
        format!("{}:from:{producer}", self.stream)
    }
}
