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
//!
//! Tags that [only the value tells](of_value) are captured in another way.

pub(crate) mod guesses;
mod named;
pub(crate) mod of_value;
mod order;
mod standing;

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use self::standing::Standing;
use crate::engine::{Base, Core};
use crate::key::{Key, TAG_PREFIX, Tag};
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

/// The texts of their keys, with the namespace.
#[derive(Clone, Debug)]
struct List {
    /// Those that the key tells, in the function's order.
    of_key: Vec<String>,
    /// Those that the value tells, in the order of their texts: as far as they are known, if its
    /// function has any.
    of_value: Option<Vec<String>>,
    /// The [main key](Tags::beside) of the entry, or the key of its entity, which is no tag's.
    main: Option<String>,
    /// How long an entry with their stamps may live.
    need: Duration,
}

impl List {
    fn texts(&self) -> impl Iterator<Item = &String> {
        self.of_key.iter().chain(self.of_value.iter().flatten()).chain(&self.main)
    }
}

impl Tags {
    /// The tags of a key's entry, as far as they are known before its value is.
    pub(crate) fn of<T>(cache: &Base, key: &Key<T>) -> Self {
        let entry = || KeyHash::of(&cache.full_text(key.as_str()));
        let of_value = key.tells_tags().then(|| cache.guesses().of(entry()));
        match (key.tags(), of_value) {
            ([], None) => Self { list: None },
            (tags, of_value) => Self::new(cache, tags, key.longest_life(), of_value),
        }
    }

    /// `of_value` are the tags that the value tells, as far as they are known.
    pub(crate) fn new(
        cache: &Base,
        tags: &[Tag],
        need: Duration,
        of_value: Option<Vec<String>>,
    ) -> Self {
        if tags.is_empty() && of_value.is_none() {
            return Self { list: None };
        }
        let text = |tag: &Tag| cache.full_text(tag.key()).into_owned();
        let of_key = tags.iter().map(text).collect();
        Self { list: Some(Box::new(List { of_key, of_value, main: None, need })) }
    }

    /// These, and the main key of an entry in a key [beside](crate::read) it, which is a tag of
    /// that entry: its stamp is the token of the value that stands there. Whatever changes the main
    /// key outdates the entry beside it.
    pub(crate) fn beside(&self, main: &str) -> Self {
        let list = self.list.as_deref().cloned();
        let none = || List { of_key: Vec::new(), of_value: None, main: None, need: Duration::ZERO };
        let mut list = list.unwrap_or_else(none);
        list.main = Some(main.to_owned());
        // What is known of the value in the main key says nothing of the one beside it.
        list.of_value = list.of_value.map(|_| Vec::new());
        Self { list: Some(Box::new(list)) }
    }

    /// What tells these tags from others of the same key; nothing where there are none. Which tags
    /// a value tells does not count.
    pub(crate) fn digest(&self) -> Option<KeyHash> {
        let list = self.list.as_deref()?;
        let of_value = if list.of_value.is_some() { "\n" } else { "" };
        Some(KeyHash::of(&(list.of_key.join("\n") + of_value)))
    }

    /// The tags as templates spell them, as far as they are known.
    pub(crate) fn shown(&self, cache: &Base) -> Vec<String> {
        let prefix = cache.full_text(TAG_PREFIX);
        self.texts().filter_map(|text| text.strip_prefix(&*prefix)).map(str::to_owned).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_none()
    }

    /// The texts of their keys.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = self.list.as_deref().into_iter().flat_map(List::texts);
        texts.map(String::as_str)
    }

    /// Whether an invalidation of the entry with this key, or of one of its tags, has not been
    /// delivered yet.
    pub(crate) fn are_outdated(&self, cache: &Core, entry: &str) -> bool {
        cache.journal().covers(entry) || self.texts().any(|text| cache.journal().covers(text))
    }

    /// Whether a value was stored, or would be, under these tags, whatever their stamps. Which tags
    /// the value has told is up to the value.
    pub(crate) fn are_those_of(&self, value: &Value) -> bool {
        if self.is_empty() {
            return value.has_stamps(&[]);
        }
        let Some(List { of_key, of_value: Some(_), main, .. }) = self.list.as_deref() else {
            return value.has_tags(self.names().iter().map(|tag| tag.hash));
        };
        let Some(told) = value.names() else { return false };
        let told = told.into_iter().map(KeyHash::of);
        let hashes = |texts| Iterator::map(texts, |text: &String| KeyHash::of(text));
        let all = hashes(of_key.iter()).chain(told).chain(main.iter().map(|it| KeyHash::of(it)));
        value.has_tags(all.collect::<Vec<_>>().into_iter())
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
        self.capture_with(store, None, by).await.map(|(standing, _)| standing)
    }

    /// The same, and the stamp of the epoch if the values tell tags.
    pub(crate) async fn capture_with(
        &self,
        store: &Store,
        epoch: Option<Name<'_>>,
        by: Deadline,
    ) -> StoreResult<(Standing, Option<Token>)> {
        let Some(List { need, main, .. }) = self.list.as_deref() else {
            return Ok((Standing::none(), None));
        };
        let mut names = self.names();
        // Nothing is put into a main key that has none.
        let main = if main.is_some() { names.pop() } else { None };
        names.extend(epoch);
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
        let (mut replies, main) = tokio::join!(stamp, read);
        let epoch = epoch.and_then(|_| replies.pop()).as_ref().and_then(Self::epoch_of);
        let stamps = names.iter().zip(replies).map(|(name, reply)| {
            Ok(match reply? {
                Stamped::Stamp(token) => Ok(Stamp { tag: name.hash, token, former: None }),
                Stamped::Fenced | Stamped::Foreign => Err(Standing::Fenced),
            })
        });
        let main = main.into_iter().map(|(name, reply)| Self::stamp_in(name, reply));
        Ok((Self::standing(stamps.chain(main))?, epoch))
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
            Found::Lease | Found::Damaged | Found::Misplaced(_) | Found::OfAnotherPrimary => {
                Err(Standing::Missing)
            }
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
