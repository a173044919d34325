//! Dead letters, for operators: looked at, put back, and discarded.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::queue::admin::deadline;
use crate::queue::partitions::Partitions;
use crate::queue::push::payload;
use crate::queue::{DeadLetter, DeadLetterId, Queue};
use crate::store::StoreResult;
use crate::store::queue::{Buried, Death};

/// Dead letters that are read, put back or removed in one step, during which the server does
/// nothing else.
const AT_ONCE: usize = 100;
/// From the first death to the last.
const EVER: (Death, Death) = (Death { ms: 0, sequence: 0 }, Death::LAST);

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
        self.letters(0, Death::default(), limit).await
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
        self.letters(id.partition(), id.death(), limit).await
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
        self.in_rounds(async |log, partition, limit| {
            log.redrive(partition, EVER, limit, deadline()).await
        })
        .await
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
        let Some(log) = self.log() else { return Ok(false) };
        let between = (id.death(), id.death());
        Ok(log.asked(log.redrive(id.partition(), between, 1, deadline()).await)? > 0)
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
        let Some(log) = self.log() else { return Ok(false) };
        Ok(log.asked(log.discard(id.partition(), &[id.death()], deadline()).await)? > 0)
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
        self.in_rounds(async |log, partition, limit| {
            let buried = log.dead(partition, Death::default(), limit, deadline()).await?;
            let deaths: Vec<_> = buried.iter().map(|buried| buried.death).collect();
            if deaths.is_empty() {
                Ok(0)
            } else {
                log.discard(partition, &deaths, deadline()).await
            }
        })
        .await
    }

    /// Does something to all dead letters that there are now, some at a time, and returns how many
    /// there were. Those that die meanwhile, or come back, are left alone.
    async fn in_rounds(
        &self,
        some: impl AsyncFn(&Partitions, u32, usize) -> StoreResult<u64>,
    ) -> Result<u64, Error> {
        let Some(log) = self.log() else { return Ok(0) };
        let mut count = 0;
        for partition in 0..log.asked(log.partitions(deadline()).await)? {
            let mut left = log.asked(log.lengths(partition, deadline()).await)?.dead;
            while left > 0 {
                let limit = usize::try_from(left).unwrap_or(AT_ONCE).min(AT_ONCE);
                let done = log.asked(some(&log, partition, limit).await)?;
                if done == 0 {
                    break;
                }
                count += done;
                left = left.saturating_sub(done);
            }
        }
        Ok(count)
    }

    /// Those that come after a death in a partition, and those of later partitions.
    async fn letters(
        &self,
        first: u32,
        after: Death,
        limit: usize,
    ) -> Result<Vec<DeadLetter<T>>, Error> {
        let Some(log) = self.log() else { return Ok(Vec::new()) };
        let version = self.definition.site.options.version;
        let mut letters = Vec::new();
        for partition in first..log.asked(log.partitions(deadline()).await)? {
            let after = if partition == first { after } else { Death::default() };
            let buried =
                log.asked(log.dead_in_steps(partition, after, limit - letters.len()).await)?;
            letters.extend(buried.into_iter().map(|buried| letter(partition, buried, version)));
            if letters.len() >= limit {
                break;
            }
        }
        Ok(letters)
    }
}

impl Partitions {
    /// As many as are wanted, a few at a time: one reply holds no more than these.
    async fn dead_in_steps(
        &self,
        partition: u32,
        mut after: Death,
        limit: usize,
    ) -> StoreResult<Vec<Buried>> {
        let mut all = Vec::new();
        while all.len() < limit {
            let wanted = AT_ONCE.min(limit - all.len());
            let buried = self.dead(partition, after, wanted, deadline()).await?;
            let is_all = buried.len() < wanted;
            all.extend(buried);
            match all.last() {
                Some(last) if !is_all => after = last.death,
                _ => break,
            }
        }
        Ok(all)
    }
}

fn letter<T>(partition: u32, buried: Buried, version: u32) -> DeadLetter<T>
where
    T: Serialize + DeserializeOwned,
{
    let Buried { death, stored, error, attempts } = buried;
    let read = match &stored.payload {
        Some(payload) => payload::explain(payload, version),
        None => Err("somebody took the item out of the queue by hand".to_owned()),
    };
    let (item, unreadable) = match read {
        Ok(item) => (Some(item), None),
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
