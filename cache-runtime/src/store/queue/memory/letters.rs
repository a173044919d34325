//! The dead letters of a queue in memory.

use crate::store::queue::memory::{Held, MemoryQueue, Partition};
use crate::store::queue::{Buried, Claim, Death, Position, Stored};
use crate::support::clock::wall_us;

impl MemoryQueue {
    pub(crate) fn bury(
        &self,
        partition: u32,
        claim: &Claim,
        position: Position,
        error: &str,
        attempts: u32,
    ) -> bool {
        self.renewing(partition, claim, |partition| {
            let at = partition.items.iter().position(|held| held.stored.position == position);
            if let Some(Held { stored, .. }) = at.and_then(|at| partition.items.remove(at)) {
                let (death, error) = (partition.death(), error.to_owned());
                partition.dead.push_back(Buried { death, stored, error, attempts });
            }
        })
    }

    /// The oldest dead letters of those that died after one.
    pub(crate) fn dead(&self, partition: u32, after: Death, limit: usize) -> Vec<Buried> {
        self.with(partition, |partition| {
            let later = partition.dead.iter().filter(|buried| buried.death > after);
            later.take(limit).cloned().collect()
        })
    }

    /// Puts the oldest of those that died between two moments, these among them, back at the end; how many.
    pub(crate) fn redrive(&self, partition: u32, (from, to): (Death, Death), limit: usize) -> u64 {
        let count = self.with(partition, |partition| {
            let is_meant = |buried: &Buried| (from..=to).contains(&buried.death);
            let mut left = limit;
            let (mut stay, mut go) = (Vec::new(), Vec::new());
            for buried in partition.dead.drain(..) {
                if left > 0 && is_meant(&buried) {
                    left -= 1;
                    go.push(buried);
                } else {
                    stay.push(buried);
                }
            }
            partition.dead.extend(stay);
            let count = go.len() as u64;
            for Buried { stored, .. } in go {
                let (position, _) = partition.tick(0);
                partition.items.push_back(Held::new(Stored { position, ..stored }));
            }
            count
        });
        self.pushed.notify_waiters();
        count
    }

    /// Removes dead letters for good; how many there were.
    pub(crate) fn discard(&self, partition: u32, deaths: &[Death]) -> u64 {
        self.with(partition, |partition| {
            let before = partition.dead.len();
            partition.dead.retain(|buried| !deaths.contains(&buried.death));
            (before - partition.dead.len()) as u64
        })
    }
}

impl Partition {
    fn death(&mut self) -> Death {
        let Death { ms: last, sequence } = self.last_death;
        let ms = wall_us() / 1000;
        self.last_death = if ms > last {
            Death { ms, sequence: 0 }
        } else {
            Death { ms: last, sequence: sequence + 1 }
        };
        self.last_death
    }
}
