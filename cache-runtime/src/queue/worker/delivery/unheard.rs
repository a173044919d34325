//! Items whose workers end while the sink has them, without a word from it.
//!
//! One of them may end the process, or block for ever, whoever gets it. So an owner that takes over
//! items which were read and not acknowledged counts itself in the partition, until it hears from
//! the sink. The more have been counted the fewer of those items it hands over at once, until the
//! one at fault is by itself, and is given up.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::queue::worker::delivery::Delivery;
use crate::queue::worker::partition::Lost;
use crate::store::queue::{Stored, Unheard};

/// So many owners may end in a row before the next has a suspicion: programs are killed for other
/// reasons, too.
const UNSUSPECTED: u32 = 2;

/// What an owner found when it took over.
#[derive(Debug, Default)]
pub(super) struct Estate {
    is_looked_at: bool,
    /// Owners that were counted, this one included; 0 where nothing was found, or nothing is left
    /// of it.
    owners: u32,
    is_heard: bool,
    /// How many of the items it hands over at once.
    limit: Option<usize>,
}

impl Estate {
    /// How many items the sink gets at once, of those that others had.
    pub(super) fn limit(&self) -> Option<usize> {
        self.limit
    }
}

/// How many items an owner hands over at once that is one of so many, of whom one more than `most`
/// makes a dead letter. None: all.
fn limit(batch: usize, owners: u32, most: u32) -> Option<usize> {
    if owners >= most {
        return Some(1);
    }
    let quarters = owners.saturating_sub(UNSUSPECTED).min(30);
    (quarters > 0).then(|| (batch >> (2 * quarters)).max(1))
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Delivery<T> {
    /// Counts this owner if others had read these first items, and takes the suspicious one from
    /// them.
    pub(super) async fn inherit(&mut self, items: &mut Vec<Stored>) -> Result<(), Lost> {
        if std::mem::replace(&mut self.estate.is_looked_at, true) || items.is_empty() {
            return Ok(());
        }
        let options = &self.task.definition.site.options;
        let (batch, most) = (options.batch, options.max_deliveries);
        let owners = self.owner.unheard(Unheard::One).await?;
        (self.estate.owners, self.estate.limit) = (owners, limit(batch, owners, most));
        if owners > most
            && let Some(first) = items.first()
        {
            let position = first.position;
            let error = format!(
                "{most} workers in a row ended while the sink had this item, without a word from \
                 it: it may end the process, block, or never return"
            );
            self.bury(position, &error, most).await?;
            items.remove(0);
        }
        Ok(())
    }

    /// The sink has answered, so calling it does not end the process.
    pub(super) async fn heard(&mut self) -> Result<(), Lost> {
        if self.estate.owners > 0 && !std::mem::replace(&mut self.estate.is_heard, true) {
            self.owner.unheard(Unheard::NotOne).await?;
        }
        Ok(())
    }

    /// Nothing is left of what others had read.
    pub(super) async fn inherited(&mut self) -> Result<(), Lost> {
        self.estate.limit = None;
        if std::mem::take(&mut self.estate.owners) > 0 {
            self.owner.unheard(Unheard::None).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_owners_have_ended_the_fewer_items_are_at_risk() {
        let limits: Vec<_> = (1..=7).map(|owners| limit(500, owners, 10)).collect();
        assert_eq!(limits, [None, None, Some(125), Some(31), Some(7), Some(1), Some(1)]);
        assert_eq!(limit(100_000, 9, 10), Some(6));
        for most in 1..20 {
            assert_eq!(limit(100_000, most, most), Some(1), "then it is sure which item it is");
        }
    }
}
