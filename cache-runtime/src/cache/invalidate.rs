//! Operations on entries by hand.

use std::time::Duration;

use crate::cache::Cache;
use crate::engine::misuse::{self, Misuse};
use crate::error::{Error, ErrorKind};
use crate::key::AsTag;
use crate::key::{Keys, Refused};

impl Cache {
    /// Removes entries, and keeps loads that are already running from filling them. Takes one round
    /// trip, or one for each 256 keys. Each has as much time as the
    /// [`budget`](crate::CacheBuilder::budget) says, so that any number of keys can be invalidated
    /// by a server that answers.
    ///
    /// # Errors
    ///
    /// If it is not acknowledged for every key. It may have been done nevertheless. What was not
    /// acknowledged is sent again until it is, and meanwhile this process bypasses the cache for
    /// those keys.
    ///
    /// [`ErrorKind::Codec`] if a value in a key has no [hash](crate::key::KeyText::hash). Nothing
    /// is stored under such a key; the other keys are invalidated.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the invalidation may or may not have been done, and is not sent
    /// again.
    pub async fn invalidate(&self, keys: impl Keys) -> Result<(), Error> {
        let mut texts = Vec::new();
        keys.visit(&mut |key| texts.push(self.core.full_text(key).into_owned()));
        let removed = self.core.remove(&texts, Duration::ZERO).await;
        self.check(keys).and(removed)
    }

    /// Invalidates every entry with a tag, however many there are: one round trip, and one key
    /// removed. The entries stay in the store, as misses, until they are loaded again or expire.
    ///
    /// To invalidate several tags, or tags and keys together, pass them to
    /// [`invalidate`](Self::invalidate): `cache.invalidate((&user_key(&7), &org))`.
    ///
    /// # Errors
    ///
    /// As for [`invalidate`](Self::invalidate). What was not acknowledged is sent again, and
    /// meanwhile this process bypasses the cache for every entry with the tag.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the invalidation may or may not have been done, and is not sent
    /// again.
    pub async fn invalidate_tag(&self, tag: impl AsTag) -> Result<(), Error> {
        self.invalidate(tag.into()).await
    }

    /// Invalidates entries and tags as [`invalidate`](Self::invalidate) does, but keeps the values
    /// of functions with `stale_while_revalidate` or `stale_if_error`. They are fresh no longer,
    /// and may be served within these windows, which begin now; doing this again does not prolong
    /// them. Values of other functions are removed.
    ///
    /// # Errors
    ///
    /// As for [`invalidate`](Self::invalidate). What is sent again keeps no value.
    ///
    /// # Cancel safety
    ///
    /// That of `invalidate`.
    pub async fn invalidate_keeping_stale(&self, keys: impl Keys) -> Result<(), Error> {
        let mut texts = Vec::new();
        keys.visit(&mut |key| texts.push(self.core.full_text(key).into_owned()));
        let made = self.core.make_stale(&texts).await;
        self.check(keys).and(made)
    }

    /// Removes all entries of this namespace whose key matches a Redis glob, such as `user:7:*`,
    /// and returns how many there were. A glob that begins with `*` matches tags as well, and so
    /// invalidates every entry that has one of those tags. Without a namespace, a glob that begins
    /// with `*` matches the entries of all namespaces. The time this takes is proportional to the
    /// number of all keys on the server, so keep it off hot paths.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. The invalidation is sent again, as with
    /// [`invalidate`](Self::invalidate).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some of the entries have been removed, and the invalidation is not
    /// sent again.
    pub async fn invalidate_matching(&self, pattern: &str) -> Result<u64, Error> {
        self.core.remove_matching(&self.core.full_pattern(pattern), Duration::ZERO).await
    }

    /// Waits until every invalidation has been delivered, for at most `limit`. Call it before the
    /// program ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Undelivered`], with their number, if some are left.
    ///
    /// # Cancel safety
    ///
    /// It only waits: the invalidations are delivered in the background, whether or not the future
    /// is dropped.
    pub async fn flush(&self, limit: Duration) -> Result<(), Error> {
        self.core.journal().deliver();
        if tokio::time::timeout(limit, self.core.journal().drained()).await.is_ok() {
            return Ok(());
        }
        let left = self.core.journal().depth();
        let message = format!("{left} invalidations have not been delivered to the cache's store");
        let undelivered = Error::new(ErrorKind::Undelivered, message);
        Err(match self.core.latest_cause() {
            Some(cause) => undelivered.because(cause),
            None => undelivered,
        })
    }

    /// Removes all entries and tags of this namespace, and returns how many there were. Those of
    /// other namespaces stay, whatever they are called.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the cache uses a server and has no namespace: this would remove the
    /// entries of every program that uses none. Otherwise as for
    /// [`invalidate_matching`](Self::invalidate_matching).
    ///
    /// # Cancel safety
    ///
    /// That of `invalidate_matching`.
    pub async fn clear(&self) -> Result<u64, Error> {
        if self.core.settings().namespace.is_empty() && self.core.is_remote() {
            let message =
                "`clear` needs a namespace: set one with `Cache::builder().namespace(\"...\")`";
            return Err(Error::new(ErrorKind::Config, message));
        }
        self.core.remove_matching(&self.core.everything(), Duration::ZERO).await
    }

    /// Refuses keys that name no entry.
    pub(crate) fn check(&self, keys: impl Keys) -> Result<(), Error> {
        let mut checked = Ok(());
        keys.refused(&mut |Refused(function, unhashable)| {
            misuse::report(&self.core, function, Misuse::Unhashable, format_args!("{unhashable}"));
            checked = Err(Error::new(ErrorKind::Codec, unhashable.to_string()));
        });
        checked
    }
}
