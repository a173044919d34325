//! Over how many partitions pushes are spread, with the rules of `layout.lua` and `turn.lua`.

use crate::store::queue::memory::{MemoryQueue, lock};
use crate::store::queue::{Layout, Overview, Position, Step, Turned};
use crate::support::clock::wall_us;

/// What is known of a queue as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    pub(super) layout: Layout,
    /// As many partitions as any worker or layout has.
    pub(super) partitions: u32,
}

/// The layout that a partition has: it takes no items that were placed by another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) epoch: u64,
    /// Up to here its items came before.
    pub(super) bound: Position,
}

impl Mark {
    /// Whether a partition takes no items that were placed by a layout; none are where none is known.
    pub(super) fn refuses(&self, epoch: u64) -> bool {
        epoch == 0 || self.epoch != epoch
    }
}

impl MemoryQueue {
    /// There are at least so many partitions; what is known then.
    pub(super) fn know(&self, partitions: u32) -> Known {
        let mut known = lock(&self.known);
        known.partitions = known.partitions.max(partitions);
        *known
    }

    /// Takes a step, if nobody has gone further; what there is then.
    pub(crate) fn relayout(&self, step: Step) -> Layout {
        let mut known = lock(&self.known);
        let Known { layout, partitions } = &mut *known;
        match step {
            Step::Announce { of, spread, after }
                if of == layout.epoch
                    && layout.next.is_none()
                    && (!layout.drains || after > layout.epoch) =>
            {
                let next = (layout.epoch + 1).max(after + 1).max(wall_us() / 1000);
                layout.next = Some((next, spread));
            }
            Step::Make { epoch, drains, us } => {
                if let Some((_, spread)) = layout.next.filter(|(next, _)| *next == epoch) {
                    let us = us.max(layout.us);
                    *layout = Layout { epoch, spread, us, drains, next: None };
                    *partitions = (*partitions).max(spread);
                }
            }
            Step::Settle { epoch } if epoch == layout.epoch => layout.drains = false,
            Step::Look | Step::Announce { .. } | Step::Settle { .. } => {}
        }
        *layout
    }

    /// Turns a partition to a layout, unless it has a later one.
    pub(crate) fn turn(&self, partition: u32, epoch: u64) -> Turned {
        self.with(partition, |partition| {
            if partition.mark.epoch < epoch {
                partition.mark = Mark { epoch, bound: partition.last };
            }
            let Mark { epoch, bound } = partition.mark;
            let is_left = partition.items.iter().any(|held| held.stored.position <= bound);
            Turned { is_left, epoch, us: partition.us }
        })
    }

    /// What is known of the queue.
    pub(crate) fn overview(&self) -> Overview {
        Overview { partitions: lock(&self.known).partitions, is_paused: self.is_paused() }
    }

    /// Makes partitions fewer, if there are still as many as `known`.
    pub(crate) fn forget(&self, known: u32, own: u32) -> bool {
        let mut all = lock(&self.known);
        let is_as_known = all.partitions == known;
        if is_as_known {
            all.partitions = own;
        }
        is_as_known
    }
}
