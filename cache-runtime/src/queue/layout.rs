//! Over how many partitions pushes are spread, and how that changes.
//!
//! The number is the queue's, and not that of a process. Each layout has a number of its own:
//! whoever pushes says by which one it has chosen the partition, and a partition refuses what was
//! placed by another. Then the process asks, and pushes again. So a process asks once before its
//! first push, and not again before there is a change.
//!
//! A change takes these steps, of which any process may do any, again if need be:
//!
//! 1. It is announced, with a number of its own.
//! 2. Every partition is turned to it: it takes no items any more that were placed by the former
//!    layout, and remembers up to where its items came before.
//! 3. It is made. Only then anybody can place items by it, so none gets into a partition while
//!    another still takes older ones of its key.
//! 4. Owners deliver what came before; what came since waits, as items of its key may be left in
//!    another partition.
//! 5. Once nothing is left of what came before, it is settled. Before that there is no other
//!    change.
//!
//! Versions only grow within a partition. So that they do for a key, those of a layout are later
//! than all of former ones.
//!
//! Where a failover has lost steps, a partition may have heard of a layout that is none any more.
//! Then there is another change, later than that one.

use tokio::time::{Instant, sleep};

use crate::queue::failure::Failure;
use crate::queue::partitions::Partitions;
use crate::queue::placement::Spot;
use crate::queue::push::retry::{ATTEMPT, PAUSES};
use crate::store::queue::{Layout, Step, Turned};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// By when a step is answered.
fn soon() -> Deadline {
    Instant::now() + ATTEMPT
}

impl Partitions {
    /// Asks for the layout, if none is known. Where there is no answer, pushes find that out for
    /// themselves.
    pub(super) async fn learn_layout(&self, key: &str) {
        let spot = self.shared.spot(Some(key));
        if spot.epoch == 0 {
            _ = self.relocate(spot, key).await;
        }
    }

    /// Finds out where an item belongs. One that its partition has refused may still belong there,
    /// if that had lost its layout.
    pub(super) async fn relocate(&self, spot: Spot, key: &str) -> Result<Spot, Failure> {
        let until = Instant::now() + self.shared.site.options.push_timeout.max(ATTEMPT);
        let (mut pause, longest) = PAUSES;
        loop {
            match self.ask_where(spot).await {
                Ok(()) => return Ok(self.shared.spot(spot.is_keyed.then_some(key))),
                Err(error) => _ = self.unanswered(error, true)?,
            }
            if Instant::now() >= until {
                return Err(Failure::unavailable(StoreError::Down));
            }
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    async fn ask_where(&self, Spot { partition, epoch: tried, .. }: Spot) -> StoreResult<()> {
        let layout = self.relayout(Step::Look, soon()).await?;
        let layout = if layout.next.is_some() || layout.epoch == 0 {
            self.change(layout, self.shared.site.options.partitions, 0).await?
        } else if layout.epoch == tried {
            let turned = self.turn(partition, layout.epoch, soon()).await?;
            if turned.epoch > layout.epoch {
                self.change(layout, layout.spread, turned.epoch).await?
            } else {
                layout
            }
        } else {
            layout
        };
        self.shared.layout.note(&layout);
        Ok(())
    }

    /// Brings a change to its end, or begins one.
    pub(super) async fn tend(&self, layout: Layout) -> StoreResult<()> {
        let own = self.shared.site.options.partitions;
        let heard = self.shared.layout.heard();
        self.shared.layout.note(&layout);
        let layout = if layout.next.is_some() || layout.epoch == 0 {
            self.change(layout, own, 0).await?
        } else if layout.drains {
            self.settle(layout).await?
        } else if own > layout.spread || heard > layout.epoch {
            self.change(layout, own.max(layout.spread), heard).await?
        } else {
            return Ok(());
        };
        self.shared.layout.note(&layout);
        Ok(())
    }

    /// Makes the change that is announced, or one to so many partitions, later than another.
    pub(super) async fn change(
        &self,
        mut layout: Layout,
        spread: u32,
        after: u64,
    ) -> StoreResult<Layout> {
        if layout.next.is_none() {
            let announce = Step::Announce { of: layout.epoch, spread, after };
            layout = self.relayout(announce, soon()).await?;
        }
        let Some((epoch, spread)) = layout.next else { return Ok(layout) };
        let (mut is_left, mut latest) = (false, layout.us);
        for partition in 0..self.partitions(soon()).await?.max(spread).max(layout.spread) {
            let Turned { is_left: more, us, .. } = self.turn(partition, epoch, soon()).await?;
            (is_left, latest) = (is_left || more, latest.max(us));
        }
        let make = Step::Make { epoch, drains: is_left, us: latest };
        self.relayout(make, soon()).await
    }

    /// Settles a layout if nothing is left of what came before it.
    pub(super) async fn settle(&self, layout: Layout) -> StoreResult<Layout> {
        let Layout { epoch, spread, .. } = layout;
        for partition in 0..self.partitions(soon()).await?.max(spread) {
            if self.turn(partition, epoch, soon()).await?.is_left {
                return Ok(layout);
            }
        }
        self.relayout(Step::Settle { epoch }, soon()).await
    }

    /// Spreads pushes over no more than so many partitions; whether nothing is left of what was
    /// spread over more.
    pub(super) async fn shrink(&self, own: u32) -> StoreResult<bool> {
        let mut layout = self.relayout(Step::Look, soon()).await?;
        if layout.next.is_some() {
            layout = self.change(layout, own, 0).await?;
        }
        if layout.drains {
            layout = self.settle(layout).await?;
        }
        if layout.spread > own && !layout.drains {
            layout = self.change(layout, own, 0).await?;
        }
        self.shared.layout.note(&layout);
        Ok(layout.spread <= own && !layout.drains)
    }
}
