//! The tags of an entry, and their stamps.
//!
//! A tag has a key of its own, which follows the same protocol as every other. The token of the
//! value in it is the tag's *stamp*, which is random. A load captures the stamps of its entry's
//! tags before it begins, creating those that are missing, and its value is stored with them. A
//! lookup reads entry and stamps at once, and is a hit only if they match. So invalidating a tag
//! means invalidating its key: the stamp is gone and never comes back, and every entry that was
//! stored under it is a miss. A stamp that was evicted, has expired or was lost is a miss as well.
//!
//! Nothing stale is served, for this reason: a value that was loaded after a stamp was captured
//! carries that stamp. If an invalidation was acknowledged before the capture, the load saw the
//! write; if it came later, it has removed the stamp. A fence on the tag's key has the same effect
//! from before the commit: no stamp can be captured, and none matches.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use crate::engine::{Base, Core};
use crate::key::{Key, Tag};
use crate::record::token::Token;
use crate::record::{self, Found, KeyHash, Stamp, Value};
use crate::store::{self, Get, Name, Stamped, Store, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// The tags of one entry.
#[derive(Clone, Debug)]
pub(crate) struct Tags {
    /// `None` if there are no tags: every hit's future holds this.
    list: Option<Box<List>>,
}

#[derive(Clone, Debug)]
struct List {
    /// The texts of their keys, with the namespace, in the function's order.
    texts: Vec<String>,
    /// How long an entry with their stamps may live.
    need: Duration,
    /// Whether the last of them is no tag's key but the [main key](Tags::beside) of the entry.
    has_main: bool,
}

/// What the keys of an entry's tags hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A stamp in each.
    Stamps(Vec<Stamp>),
    /// Nothing in one of them.
    Missing,
    /// A fence, or foreign data, in one of them: no entry with this tag may be read or stored.
    Fenced,
}

impl Tags {
    /// The tags of a key's entry.
    pub(crate) fn of<T>(cache: &Base, key: &Key<T>) -> Self {
        match key.tags() {
            [] => Self { list: None },
            tags => Self::new(cache, tags, key.longest_life()),
        }
    }

    pub(crate) fn new(cache: &Base, tags: &[Tag], need: Duration) -> Self {
        let text = |tag: &Tag| cache.full_text(tag.key()).into_owned();
        let list =
            || Box::new(List { texts: tags.iter().map(text).collect(), need, has_main: false });
        Self { list: (!tags.is_empty()).then(list) }
    }

    /// These, and the main key of an entry in a key [beside](crate::read) it, which is a tag of
    /// that entry: its stamp is the token of the value that stands there. Whatever changes the main
    /// key outdates the entry beside it.
    pub(crate) fn beside(&self, main: &str) -> Self {
        let (mut texts, need) = match self.list.as_deref() {
            Some(list) => (list.texts.clone(), list.need),
            None => (Vec::new(), Duration::ZERO),
        };
        texts.push(main.to_owned());
        Self { list: Some(Box::new(List { texts, need, has_main: true })) }
    }

    /// What tells these tags from others of the same key; nothing where there are none.
    pub(crate) fn digest(&self) -> Option<KeyHash> {
        let list = self.list.as_deref()?;
        Some(KeyHash::of(&list.texts.join("\n")))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_none()
    }

    /// The texts of their keys.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.list.iter().flat_map(|list| &list.texts).map(String::as_str)
    }

    /// Whether an invalidation of the entry with this key, or of one of its tags, has not been
    /// delivered yet.
    pub(crate) fn are_outdated(&self, cache: &Core, entry: &str) -> bool {
        cache.journal().covers(entry) || self.texts().any(|text| cache.journal().covers(text))
    }

    /// Whether a value was stored, or would be, under these tags, whatever their stamps.
    pub(crate) fn are_those_of(&self, value: &Value) -> bool {
        value.has_tags(self.names().iter().map(|tag| tag.hash))
    }

    /// Stamps for a record that is shown to waiters of this process and never stored.
    pub(crate) fn unstamped(&self) -> Standing {
        let none = Token::from_bytes([0; Token::LEN]);
        let stamp = |text| Stamp { tag: KeyHash::of(text), token: none, former: None };
        Standing::Stamps(self.texts().map(stamp).collect())
    }

    /// Gets the stamps for a load that is about to begin, and creates those that are missing. Sends
    /// nothing without tags.
    pub(crate) async fn capture(&self, store: &Store, by: Deadline) -> StoreResult<Standing> {
        let Some(List { need, has_main, .. }) = self.list.as_deref() else {
            return Ok(Standing::none());
        };
        let mut names = self.names();
        // Nothing is put into a main key that has none.
        let main = if *has_main { names.pop() } else { None };
        let stamp = async {
            if names.is_empty() {
                return Vec::new();
            }
            store.send_each(&names, store::CaptureStamp { need: *need }, by).await
        };
        let read = async {
            match main {
                Some(main) => Some((main, store.send(main, Get, by).await)),
                None => None,
            }
        };
        let (replies, main) = tokio::join!(stamp, read);
        let stamps = names.iter().zip(replies).map(|(name, reply)| {
            Ok(match reply? {
                Stamped::Stamp(token) => Ok(Stamp { tag: name.hash, token, former: None }),
                Stamped::Fenced | Stamped::Foreign => Err(Standing::Fenced),
            })
        });
        let main = main.into_iter().map(|(name, reply)| Self::stamp_in(name, reply));
        Self::standing(stamps.chain(main))
    }

    /// Reads the stamps.
    pub(crate) async fn read(&self, store: &Store, by: Deadline) -> StoreResult<Standing> {
        let names = self.names();
        let replies = store.send_each(&names, Get, by).await;
        Self::read_as(names.into_iter().zip(replies))
    }

    /// Reads an entry and the stamps, at once.
    pub(crate) async fn read_with(
        &self,
        store: &Store,
        entry: Name<'_>,
        by: Deadline,
    ) -> (StoreResult<Option<Bytes>>, StoreResult<Standing>) {
        let mut names = self.names();
        names.push(entry);
        let mut replies = store.send_each(&names, Get, by).await;
        names.pop();
        let record = replies.pop().unwrap_or(Err(StoreError::Unexpected));
        (record, Self::read_as(names.into_iter().zip(replies)))
    }

    /// Reads many entries and their stamps at once; each tag once, however many entries have it.
    pub(crate) async fn read_with_each(
        store: &Store,
        entries: &[(Name<'_>, &Self)],
        by: Deadline,
    ) -> Vec<(StoreResult<Option<Bytes>>, StoreResult<Standing>)> {
        let mut names: Vec<_> = entries.iter().map(|(entry, _)| *entry).collect();
        let mut places = HashMap::new();
        for tag in entries.iter().flat_map(|(_, tags)| tags.texts()) {
            places.entry(tag).or_insert_with(|| {
                names.push(Name::new(tag));
                names.len() - 1 - entries.len()
            });
        }
        // Without its type: otherwise rustc looks through all of the store to tell whether a batch
        // is `Send`.
        let records: Pin<Box<dyn Future<Output = _> + Send + '_>> =
            Box::pin(store.send_each(&names, Get, by));
        let mut records: Vec<StoreResult<Option<Bytes>>> = records.await;
        let stamps = records.split_off(entries.len().min(records.len()));
        let standings = entries.iter().map(move |(_, tags)| {
            let stamp = |tag: &Name<'_>| stamps.get(*places.get(tag.text)?).cloned();
            let names = tags.names().into_iter();
            Self::read_as(
                names.map(|tag| (tag, stamp(&tag).unwrap_or(Err(StoreError::Unexpected)))),
            )
        });
        records.into_iter().zip(standings).collect()
    }

    fn read_as<'a>(
        replies: impl Iterator<Item = (Name<'a>, StoreResult<Option<Bytes>>)>,
    ) -> StoreResult<Standing> {
        Self::standing(replies.map(|(name, reply)| Self::stamp_in(name, reply)))
    }

    /// The stamp that a key holds.
    fn stamp_in(
        name: Name<'_>,
        reply: StoreResult<Option<Bytes>>,
    ) -> StoreResult<Result<Stamp, Standing>> {
        let Some(record) = reply? else { return Ok(Err(Standing::Missing)) };
        Ok(match record::read(record, name.hash) {
            Found::Value(stamp) => {
                Ok(Stamp { tag: name.hash, token: stamp.token(), former: stamp.former() })
            }
            Found::Fence | Found::Foreign => Err(Standing::Fenced),
            Found::Lease | Found::Damaged | Found::Misplaced(_) => Err(Standing::Missing),
        })
    }

    fn standing(
        each: impl Iterator<Item = StoreResult<Result<Stamp, Standing>>>,
    ) -> StoreResult<Standing> {
        let stamps: Result<Vec<_>, _> = each.collect::<StoreResult<_>>()?;
        Ok(stamps.map_or_else(|lack| lack, Standing::Stamps))
    }

    fn names(&self) -> Vec<Name<'_>> {
        self.texts().map(Name::new).collect()
    }
}

impl Standing {
    /// Of an entry without tags.
    pub(crate) const fn none() -> Self {
        Self::Stamps(Vec::new())
    }

    pub(crate) fn stamps(&self) -> &[Stamp] {
        match self {
            Self::Stamps(stamps) => stamps,
            Self::Missing | Self::Fenced => &[],
        }
    }

    /// The value as a stale one, if it was stored under these stamps and former ones. A
    /// tag's server has a clock of its own, so it is fresh until `now_ms` at most, whatever that
    /// says.
    pub(crate) fn made_stale(&self, value: Value, now_ms: u64) -> Option<Value> {
        let Self::Stamps(stamps) = self else { return None };
        let since_ms = value.stale_since_ms(stamps)?;
        Some(value.fresh_until(since_ms.min(now_ms)))
    }

    /// Whether a value was stored under exactly these stamps.
    pub(crate) fn are_those_of(&self, value: &Value) -> bool {
        matches!(self, Self::Stamps(stamps) if value.has_stamps(stamps))
    }
}
