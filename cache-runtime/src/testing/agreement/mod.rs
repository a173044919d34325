//! The store in memory and the one in Redis give the same answers.

#[cfg(test)]
pub(crate) mod entries;
#[cfg(test)]
pub(crate) mod queues;
