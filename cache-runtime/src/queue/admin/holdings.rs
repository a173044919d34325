//! What operators ask of all partitions, which they need not own.

use crate::error::Error;
use crate::queue::partitions::Partitions;
use crate::store::StoreResult;
use crate::store::queue::Overview;
use crate::support::budget::Deadline;

impl Partitions {
    /// What is known of the queue: at least as many partitions as this process knows of.
    pub(crate) async fn known(&self, by: Deadline) -> StoreResult<Overview> {
        let known = self.overview(by).await?;
        let own = self.shared.site.options.partitions;
        Ok(Overview { partitions: known.partitions.max(own), ..known })
    }

    /// As many partitions as there are, and as there ever were.
    pub(crate) async fn partitions(&self, by: Deadline) -> StoreResult<u32> {
        Ok(self.known(by).await?.partitions)
    }

    /// There are as many partitions as this process knows of, if there are as many now as it was
    /// told.
    pub(crate) async fn forget_partitions(&self, known: u32, by: Deadline) -> StoreResult<bool> {
        self.forget(known, self.shared.site.options.partitions, by).await
    }

    /// What the store has answered.
    pub(crate) fn asked<T>(&self, answer: StoreResult<T>) -> Result<T, Error> {
        answer.map_err(|error| self.cache.explained(error))
    }
}
