//! Asking about an entry.

use crate::cache::Cache;
use crate::engine::Core;
use crate::error::Error;
use crate::inspect::explanation::Explanation;
use crate::inspect::question::Question;
use crate::key::Key;
use crate::read::ReadCall;

impl Cache {
    /// Says what is in the key of an entry, and why a call that asked now would not be served it:
    /// for the one who is asked why a page is slow, or old. It needs the entry's key, or [its
    /// text](Key::from_text), in which case what only the function tells is left out: its codec,
    /// version and tags, and what is beside the key.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Key, cached, inspect::Obstacle};
    /// #[cached(key = "user:<id>", ttl = "1h", tags = ["users"])]
    /// async fn get_user(id: i64) -> String {
    /// #   _ = id; String::new()
    ///     // SELECT ..
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
    /// # let cache = Cache::in_memory();
    /// # cache.scope(async {
    /// get_user(7).await;
    /// let found = cache.explain(&get_user_key(&7)).await?;
    /// assert_eq!(found.obstacle, None);
    ///
    /// cache.invalidate_tag("users").await?;
    /// let found = cache.explain(&get_user_key(&7)).await?;
    /// assert_eq!(found.obstacle, Some(Obstacle::TagInvalidated));
    /// println!("{found}"); // `user:7` holds a value of 2 bytes (json, version 0), stored 4 ms ..
    /// println!("{}", cache.explain(&Key::from_text("user:7")).await?);
    /// # Ok(()) }).await }
    /// ```
    ///
    /// It also says why the last call of this process that missed the entry did
    /// ([`last_miss`](Explanation::last_miss)), as far as that is remembered.
    ///
    /// It changes nothing, counts nothing, and shows nothing of a value's content. It takes one
    /// round trip, and one more if there are tags. What is seen may be of slightly different
    /// moments.
    ///
    /// Besides the [commands of reads][permissions] the server's user needs `+type +strlen`, and
    /// `+memory|usage` to tell the size of another program's lists.
    ///
    /// [permissions]: mod@crate::guide::when_redis_fails#permissions
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses, or if a value in the key has no
    /// [hash](crate::key::KeyText::hash).
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn explain<T>(&self, key: &Key<T>) -> Result<Explanation, Error> {
        self.core().announce();
        self.check(key)?;
        let call = ReadCall::by_hand(self.core(), key);
        let question = Question {
            key: key.as_str(),
            functions: functions_of(key),
            tags: tags_of(self.core(), key),
            beside: (!key.is_by_hand()).then(|| call.beside()),
            call,
        };
        question.answer().await.map_err(|error| self.core().explained(error))
    }
}

/// The functions whose entry a key names.
fn functions_of<T>(key: &Key<T>) -> Vec<&'static str> {
    if key.is_by_hand() { made_by_template(key.as_str()) } else { vec![key.owner().name()] }
}

/// The keys of the tags that a key gives its entry.
fn tags_of<T>(cache: &Core, key: &Key<T>) -> Vec<String> {
    key.tags().iter().map(|tag| cache.full_text(tag.key()).into_owned()).collect()
}

#[cfg(feature = "catalog")]
fn made_by_template(key: &str) -> Vec<&'static str> {
    crate::catalog::functions_making(key)
}

#[cfg(not(feature = "catalog"))]
fn made_by_template(_: &str) -> Vec<&'static str> {
    Vec::new()
}
