//! The store in memory and the one in Redis give the same answers.

#[cfg(test)]
mod entries;
#[cfg(test)]
mod queues;
