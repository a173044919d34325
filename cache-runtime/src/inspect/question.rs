//! How what is asked of an entry is found out.

use std::collections::HashMap;

use bytes::Bytes;

use crate::inspect::content::{self, KeyContent};
use crate::inspect::explanation::{EntryTag, Explanation, Obstacle, ReleaseBeside, TagState};
use crate::inspect::last_miss::LastMiss;
use crate::key::TAG_PREFIX;
use crate::read::ReadCall;
use crate::record::token::Token;
use crate::record::{self, Found, KeyHash, VALUE_HEADER, Value};
use crate::store::{Inspect, Inspected, Keyed, Name, Now, Store, StoreError};

/// So much of a record is read that all tags of a value are among it: where its payload begins is
/// told in two bytes.
const HEAD: usize = u16::MAX as usize + 1;
/// More than the record in a tag's key has.
const STAMP: usize = 2 * VALUE_HEADER;

/// What is asked: an entry, as a read by hand would look for it.
pub(super) struct Question<'a> {
    pub(super) key: &'a str,
    pub(super) functions: Vec<&'static str>,
    /// The keys of the tags that the key gives.
    pub(super) tags: Vec<String>,
    pub(super) call: ReadCall,
    /// The same entry in the key beside, if the key is a function's, which knows what to look for.
    pub(super) beside: Option<ReadCall>,
}

/// A key that was looked at.
struct Looked {
    content: KeyContent,
    value: Option<Value>,
    is_distrusted: bool,
}

impl Looked {
    fn new(seen: Option<&Inspected>, key: KeyHash, now_ms: u64) -> Self {
        let (content, value) = content::read(seen, key, now_ms);
        Self { content, value, is_distrusted: seen.is_some_and(|seen| seen.is_distrusted) }
    }

    /// Whether it is a value that was stored under this stamp.
    fn has(&self, stamp: (KeyHash, Token)) -> bool {
        self.value.iter().flat_map(Value::tags).any(|own| own == stamp)
    }
}

/// Tags by the hashes of their keys: the text of the key, and what it holds.
type Known = HashMap<KeyHash, (String, Option<Bytes>)>;

impl Question<'_> {
    pub(super) async fn answer(self) -> Result<Explanation, StoreError> {
        let Some(store) = self.call.cache.store() else {
            let nothing = Looked::new(None, self.call.hash, 0);
            return Ok(self.explained(&nothing, None, &Known::new(), Some(Obstacle::Disabled)));
        };
        let (main, beside) = self.look(store).await?;
        let tags = self.read_tags(store, [Some(&main), beside.as_ref()]).await?;
        let obstacle = self.obstacle(&main, beside.as_ref(), &tags);
        Ok(self.explained(&main, beside.as_ref(), &tags, obstacle))
    }

    /// The key, and the one beside it.
    async fn look(&self, store: &Store) -> Result<(Looked, Option<Looked>), StoreError> {
        let calls = [Some(&self.call), self.beside.as_ref()];
        let request = Inspect { most: HEAD };
        let names = calls.into_iter().flatten().map(ReadCall::name);
        let requests = names.map(|name| Keyed { name, request }).collect();
        let by = self.call.cache.budget().deadline();
        let (seen, now) = tokio::join!(
            store.send_all::<Inspect>(requests, by),
            store.send(self.call.name(), Now, by)
        );
        let (mut seen, now_ms) = (seen.into_iter(), now?);
        let mut next = |call: &ReadCall| {
            let seen = seen.next().unwrap_or(Err(StoreError::Unexpected))?;
            Ok(Looked::new(seen.as_ref(), call.hash, now_ms))
        };
        let main = next(&self.call)?;
        Ok((main, self.beside.as_ref().map(next).transpose()?))
    }

    /// The tags of the key, and those that values have told.
    async fn read_tags(
        &self,
        store: &Store,
        looked: [Option<&Looked>; 2],
    ) -> Result<Known, StoreError> {
        let values = looked.into_iter().flatten().filter_map(|looked| looked.value.as_ref());
        let told = values.filter_map(Value::names).flatten();
        let mut texts: Vec<_> = self.tags.iter().map(String::as_str).chain(told).collect();
        texts.sort_unstable();
        texts.dedup();
        let names: Vec<_> = texts.into_iter().map(Name::new).collect();
        if names.is_empty() {
            return Ok(Known::new());
        }
        let by = self.call.cache.budget().deadline();
        let seen = store.send_each(&names, Inspect { most: STAMP }, by).await;
        let known = |(name, seen): (&Name<'_>, Result<Option<Inspected>, _>)| {
            let counts = seen?.filter(|seen| !seen.is_distrusted);
            Ok((name.hash, (name.text.to_owned(), counts.map(|seen| seen.head))))
        };
        names.iter().zip(seen).map(known).collect()
    }

    /// Why a call would not be served a value.
    fn obstacle(&self, main: &Looked, beside: Option<&Looked>, tags: &Known) -> Option<Obstacle> {
        if self.is_undelivered(tags) {
            return Some(Obstacle::Undelivered);
        }
        let obstacle = self.obstacle_in(&self.call, main, tags);
        let leads_beside = matches!(obstacle, Some(Obstacle::OtherRelease | Obstacle::OtherTags));
        match (self.beside.as_ref().zip(beside), &main.value) {
            (Some((call, beside)), Some(value))
                if leads_beside && beside.has((self.call.hash, value.token())) =>
            {
                self.obstacle_in(call, beside, tags)
            }
            _ => obstacle,
        }
    }

    fn obstacle_in(&self, call: &ReadCall, looked: &Looked, tags: &Known) -> Option<Obstacle> {
        let (stored, value) = match (&looked.content, &looked.value) {
            (KeyContent::Value(stored), Some(value)) => (stored, value),
            (KeyContent::Nothing | KeyContent::Value(_), _) => return Some(Obstacle::Absent),
            (KeyContent::Stamp { .. }, _) => return Some(Obstacle::Tag),
            (KeyContent::Lease { .. }, _) => return Some(Obstacle::Loading),
            (KeyContent::Fence { .. }, _) => return Some(Obstacle::BeingWritten),
            (KeyContent::Tombstone { .. }, _) => return Some(Obstacle::HeldOff),
            (KeyContent::Damaged { .. }, _) => return Some(Obstacle::Damaged),
            (KeyContent::Misplaced { .. }, _) => return Some(Obstacle::Misplaced),
            (KeyContent::Foreign { .. }, _) => return Some(Obstacle::Foreign),
        };
        let tags = self.tags_of(looked, tags);
        let any = |state: TagState| tags.iter().any(|tag| tag.state == state);
        let most = self.call.cache.settings().max_value_bytes as u64;
        let obstacles = [
            (looked.is_distrusted, Obstacle::OtherPrimary),
            (any(TagState::BeingWritten), Obstacle::TagBeingWritten),
            (self.tells_tags() && !call.tags.are_those_of(value), Obstacle::OtherTags),
            (self.is_of_another_release(value), Obstacle::OtherRelease),
            (any(TagState::Invalidated) || any(TagState::Lost), Obstacle::TagInvalidated),
            (stored.bytes > most, Obstacle::Oversized),
            (any(TagState::MadeStale) || stored.fresh.is_zero(), Obstacle::Stale),
        ];
        obstacles.into_iter().find_map(|(stands, obstacle)| stands.then_some(obstacle))
    }

    /// Whether the key says which tags the value must have: without a function and without any it
    /// says nothing.
    fn tells_tags(&self) -> bool {
        self.beside.is_some() || !self.tags.is_empty()
    }

    fn is_of_another_release(&self, value: &Value) -> bool {
        let schema = self.call.schema;
        self.beside.is_some()
            && (value.codec() != schema.codec.id() || value.version() != schema.version)
    }

    fn is_undelivered(&self, tags: &Known) -> bool {
        let journal = self.call.cache.journal();
        self.call.is_outdated() || tags.values().any(|(text, _)| journal.covers(text))
    }

    /// The tags of a value, and those that it lacks.
    fn tags_of(&self, looked: &Looked, known: &Known) -> Vec<EntryTag> {
        let Some(value) = &looked.value else { return Vec::new() };
        let main = self.call.hash;
        let own = value.tags().filter(|(tag, _)| *tag != main).map(|(tag, stamp)| {
            match known.get(&tag) {
                Some((text, record)) => EntryTag {
                    tag: Some(self.tag_in(text)),
                    state: state(record.as_ref(), tag, stamp),
                },
                None => EntryTag { tag: None, state: TagState::Unknown },
            }
        });
        let lacking = self.tags.iter().filter(|text| {
            let hash = KeyHash::of(text);
            value.tags().all(|(tag, _)| tag != hash)
        });
        let lacking =
            lacking.map(|text| EntryTag { tag: Some(self.tag_in(text)), state: TagState::Lacking });
        own.chain(lacking).collect()
    }

    /// The text of a tag whose key is this one.
    fn tag_in(&self, text: &str) -> String {
        let prefix = self.call.cache.full_text(TAG_PREFIX);
        text.strip_prefix(&*prefix).unwrap_or(text).to_owned()
    }

    /// The last one of a call that looked into the key, or into the one beside it.
    fn last_miss(&self) -> Option<LastMiss> {
        let calls = [Some(&self.call), self.beside.as_ref()].into_iter().flatten();
        let misses = calls.filter_map(|call| call.cache.misses().of(call.hash));
        misses.max_by_key(|miss| miss.at).map(LastMiss::from)
    }

    fn explained(
        self,
        main: &Looked,
        beside: Option<&Looked>,
        tags: &Known,
        obstacle: Option<Obstacle>,
    ) -> Explanation {
        let beside = self.beside.as_ref().zip(beside);
        let beside = beside.filter(|(_, looked)| looked.content != KeyContent::Nothing);
        Explanation {
            key: self.key.to_owned(),
            tags: self.tags_of(main, tags),
            content: main.content.clone(),
            beside: beside.map(|(call, looked)| ReleaseBeside {
                stored_as: call.text.clone(),
                content: looked.content.clone(),
            }),
            is_undelivered: self.is_undelivered(tags),
            obstacle,
            last_miss: self.last_miss(),
            stored_as: self.call.text,
            functions: self.functions,
        }
    }
}

/// What has become of a tag, whose key holds this record, since an entry got its stamp.
fn state(record: Option<&Bytes>, tag: KeyHash, stamp: Token) -> TagState {
    match record.map(|record| record::read(record.clone(), tag)) {
        Some(Found::Value(now)) if now.token() == stamp => TagState::Current,
        Some(Found::Value(now)) if now.former().is_some_and(|it| it.token == stamp) => {
            TagState::MadeStale
        }
        Some(Found::Value(_)) => TagState::Invalidated,
        Some(Found::Fence | Found::Foreign) => TagState::BeingWritten,
        Some(Found::Lease | Found::Damaged | Found::Misplaced(_) | Found::OfAnotherPrimary)
        | None => TagState::Lost,
    }
}
