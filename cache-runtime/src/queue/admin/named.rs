//! A queue by its name, for tools that do not know its items.

use crate::engine::Core;
use crate::error::Error;
use crate::metrics::QueueLength;
use crate::queue::admin::holdings::Holdings;
use crate::queue::admin::letters::letter;
use crate::queue::{DeadLetter, DeadLetterId};
use crate::store::queue::Death;

/// A queue by its name; returned by [`Cache::queue`](crate::Cache::queue). Its methods are those of
/// a [`Queue`](crate::Queue) that need not know the type of the items.
///
/// ```
/// # async fn redriven(cache: cache_runtime::Cache) -> Result<(), cache_runtime::Error> {
/// let queue = cache.queue("logins");
/// for letter in queue.dead_letters(100).await? {
///     println!("{} died: {}: {}", letter.id, letter.error, letter.bytes.escape_ascii());
///     queue.redrive_one(letter.id).await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct NamedQueue {
    cache: Core,
    name: String,
}

impl NamedQueue {
    pub(crate) fn new(cache: Core, name: String) -> Self {
        Self { cache, name }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how much the queue holds, as [`Queue::length`](crate::Queue::length) does. A queue
    /// that nobody has used holds nothing.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn length(&self) -> Result<QueueLength, Error> {
        match self.holdings() {
            Some(holdings) => holdings.length().await,
            None => Ok(QueueLength::default()),
        }
    }

    /// Returns at most `limit` dead letters, as
    /// [`Queue::dead_letters`](crate::Queue::dead_letters) does. They have no `item`, but the
    /// `bytes` of it, which are text if the queue's codec is JSON.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter<()>>, Error> {
        self.letters((0, Death::default()), limit).await
    }

    /// Returns the next page: at most `limit` of the dead letters that come after this one.
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
    ) -> Result<Vec<DeadLetter<()>>, Error> {
        self.letters((id.partition(), id.death()), limit).await
    }

    /// Returns one dead letter. `None`: there is none of that id, or not any more.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter<()>>, Error> {
        let Some(holdings) = self.holdings() else { return Ok(None) };
        let buried = holdings.buried_one(id).await?;
        Ok(buried.map(|buried| letter(id.partition(), buried, |_| Ok(None))))
    }

    /// Puts all dead letters back, as [`Queue::redrive`](crate::Queue::redrive) does, and returns
    /// how many there were.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. Some may have been put back nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some may have been put back. None is lost or put back twice.
    pub async fn redrive(&self) -> Result<u64, Error> {
        let Some(holdings) = self.holdings() else { return Ok(0) };
        holdings.redrive_all().await
    }

    /// Puts one dead letter back. `false`: there is none of that id, or not any more.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. It may have been put back nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the letter may or may not have been put back. It is not lost.
    pub async fn redrive_one(&self, id: DeadLetterId) -> Result<bool, Error> {
        let Some(holdings) = self.holdings() else { return Ok(false) };
        holdings.redrive_one(id).await
    }

    /// Removes one dead letter for good. `false`: there is none of that id, or not any more.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. It may have been removed nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the letter may or may not have been removed.
    pub async fn discard(&self, id: DeadLetterId) -> Result<bool, Error> {
        let Some(holdings) = self.holdings() else { return Ok(false) };
        holdings.discard_one(id).await
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
        let Some(holdings) = self.holdings() else { return Ok(0) };
        holdings.discard_all().await
    }

    async fn letters(
        &self,
        after: (u32, Death),
        limit: usize,
    ) -> Result<Vec<DeadLetter<()>>, Error> {
        let Some(holdings) = self.holdings() else { return Ok(Vec::new()) };
        let buried = holdings.buried(after, limit).await?.into_iter();
        Ok(buried.map(|(partition, buried)| letter(partition, buried, |_| Ok(None))).collect())
    }

    fn holdings(&self) -> Option<Holdings> {
        Holdings::named(&self.cache, &self.name)
    }
}
