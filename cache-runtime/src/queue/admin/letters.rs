//! Dead letters, for operators: looked at, put back, and discarded.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::queue::push::payload;
use crate::queue::{DeadLetter, DeadLetterId, Queue};
use crate::store::queue::{Buried, Death};

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Returns at most `limit` dead letters, ordered by partition and then by the time of their
    /// deaths: the first page.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter<T>>, Error> {
        self.letters((0, Death::default()), limit).await
    }

    /// Returns the next page: at most `limit` of the dead letters that come after this one, which
    /// need not exist any more. A page that holds fewer is the last.
    ///
    /// ```
    /// # use cache_runtime::Queue;
    /// # async fn all(queue: Queue<String>) -> Result<(), cache_runtime::Error> {
    /// let mut page = queue.dead_letters(100).await?;
    /// while let Some(last) = page.last().map(|letter| letter.id) {
    ///     for letter in &page {
    ///         println!("{} died: {}", letter.id, letter.error);
    ///     }
    ///     page = queue.dead_letters_after(last, 100).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn dead_letters_after(
        &self,
        id: DeadLetterId,
        limit: usize,
    ) -> Result<Vec<DeadLetter<T>>, Error> {
        self.letters((id.partition(), id.death()), limit).await
    }

    /// Puts all dead letters back at the end of the queue, with their original versions, and
    /// returns how many there were. To the sink they are new items, which come after items of the
    /// same keys that were delivered in the meantime: a guard by version refuses those that are
    /// outdated.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. Some may have been put back nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some may have been put back. None is lost or put back twice.
    pub async fn redrive(&self) -> Result<u64, Error> {
        let Some(log) = self.holdings() else { return Ok(0) };
        log.redrive_all().await
    }

    /// Puts one dead letter back, as [`redrive`](Self::redrive) does with all of them. `false`:
    /// there is none of that id, or not any more.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. It may have been put back nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the letter may or may not have been put back. It is not lost.
    pub async fn redrive_one(&self, id: DeadLetterId) -> Result<bool, Error> {
        let Some(log) = self.holdings() else { return Ok(false) };
        log.redrive_one(id).await
    }

    /// Removes one dead letter for good. `false`: there is none of that id, or not any more. Cache
    /// entries that it had [put](macro@crate::write_behind) were invalidated when it died.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. It may have been removed nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the letter may or may not have been removed.
    pub async fn discard(&self, id: DeadLetterId) -> Result<bool, Error> {
        let Some(log) = self.holdings() else { return Ok(false) };
        log.discard_one(id).await
    }

    /// Removes for good all dead letters that there are now, and returns how many there were.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. Some may have been removed nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some may have been removed.
    pub async fn discard_all(&self) -> Result<u64, Error> {
        let Some(log) = self.holdings() else { return Ok(0) };
        log.discard_all().await
    }

    /// Those that come after a death in a partition, and those of later partitions.
    async fn letters(
        &self,
        after: (u32, Death),
        limit: usize,
    ) -> Result<Vec<DeadLetter<T>>, Error> {
        let Some(log) = self.holdings() else { return Ok(Vec::new()) };
        let version = self.definition.site.options.version;
        let read = |payload: &[u8]| payload::explain(payload, version).map(Some);
        let buried = log.buried(after, limit).await?.into_iter();
        Ok(buried.map(|(partition, buried)| letter(partition, buried, read)).collect())
    }
}

/// A dead letter, with the item that `read` makes of its payload.
pub(super) fn letter<T>(
    partition: u32,
    buried: Buried,
    read: impl FnOnce(&[u8]) -> Result<Option<T>, String>,
) -> DeadLetter<T> {
    let Buried { death, stored, error, attempts } = buried;
    let read = match &stored.payload {
        Some(payload) => read(payload),
        None => Err("somebody took the item out of the queue by hand".to_owned()),
    };
    let (item, unreadable) = match read {
        Ok(item) => (item, None),
        Err(why) => (None, Some(why)),
    };
    let id = DeadLetterId::new(partition, death);
    DeadLetter {
        id,
        item,
        unreadable,
        bytes: stored.payload.as_deref().map(payload::item).unwrap_or_default().to_vec(),
        key: stored.key,
        partition,
        position: stored.position,
        died: id.died(),
        version: stored.stamp.version(),
        error,
        attempts,
    }
}
