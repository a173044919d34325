//! Tags that only the value tells.
//!
//! An article that was asked for by its slug depends on its author, whom nobody knows before it has
//! been loaded. So the stamp of the author's tag cannot be captured before the load, as it is for
//! tags that the key tells, and if it were captured afterwards, an invalidation between the two
//! would be lost:
//!
//! ```text
//! reader: loads the old row
//! writer: commits, invalidates the tag of its author
//! reader: finds out who the author is, captures the stamp, which is a new one
//! reader: stores the old row under it, and nobody removes that
//! ```
//!
//! Two things exclude that. First, a value says by name which tags it has told, so mostly the next
//! load of its entry can *guess* them: they are in the record that it replaces, and in the
//! [memory](super::guesses::Guesses) of this process. The stamps of the guessed tags are captured
//! before the load, and if the new value tells no others, nothing more is needed.
//!
//! Second, for tags that nobody guessed there is one more key in each namespace, the *epoch*, which
//! is a tag that each such load has and no value is stored with. [Every invalidation of a
//! tag](super::order) invalidates the epoch first, and the tag when that is acknowledged; a fence
//! on a tag stands on the epoch, too. The load
//!
//! 1. captures the stamp of the epoch before the body; if there is a fence, it has none,
//! 2. captures the stamps of the new tags after the body,
//! 3. reads the epoch again, and stores nothing unless it is the same.
//!
//! Let a write commit after the body has read. If the load has captured a stamp before the write
//! removed it, the entry is a miss from then on. If it has captured one afterwards, the epoch had
//! been invalidated before that, and so before the third step, which sees it. If the writer died
//! before both, its fence on the epoch stood when it committed: either the first step came before
//! that fence, and the third one finds another stamp, or it found the fence.
//!
//! `tests/model` explores all interleavings of this, and has the shortest one that breaks each
//! simpler protocol. A load that overlaps a write of *any* tag of the namespace may be refused, but
//! only the first one of an entry: the refused load has told the tags for the next.

use crate::engine::Base;
use crate::engine::entry::Unfit;
use crate::engine::tags::{List, Standing, Tags};
use crate::key::{TAG_PREFIX, Tag};
use crate::record::token::Token;
use crate::record::{self, KeyHash, Stamp, Value};
use crate::store::{CaptureStamp, Get, Name, Stamped, Store, StoreResult};
use crate::support::budget::Deadline;

/// The most tags that one value may tell. Each is read with every hit of its entry.
const MOST: usize = 128;
/// And the most bytes that their names may have together.
const MOST_BYTES: usize = 32 * 1024;

/// The token in the place of a stamp that has not been captured.
const NONE: Token = Token::from_bytes([0; Token::LEN]);

impl Tags {
    /// Whether values of the function tell tags.
    pub(crate) fn are_told(&self) -> bool {
        self.of_value().is_some()
    }

    /// The keys of the tags that the value tells, as far as they are known.
    pub(crate) fn of_value(&self) -> Option<&[String]> {
        self.list.as_deref()?.of_value.as_deref()
    }

    /// Takes these for the tags that the value tells.
    pub(crate) fn set_of_value(&mut self, texts: Vec<String>) {
        if let Some(List { of_value: Some(known), .. }) = self.list.as_deref_mut() {
            *known = texts;
        }
    }

    /// The tags that a value has told, where they are not those that are known. Only what can be
    /// the key of a tag in this namespace is one: nothing else is read or created because of what
    /// stands in a record.
    pub(crate) fn others_in(&self, cache: &Base, value: &Value) -> Option<Vec<String>> {
        let known = self.of_value()?;
        let told = value.names()?;
        if known.iter().eq(&told) || told.len() > MOST {
            return None;
        }
        let prefix = cache.full_text(TAG_PREFIX);
        let are_tags = told.iter().all(|name| name.starts_with(&*prefix));
        are_tags.then(|| told.into_iter().map(str::to_owned).collect())
    }

    /// The stamps of these tags, as far as they are among those that were captured for others, and
    /// whether all are.
    pub(crate) fn among(&self, captured: &Standing) -> (Standing, bool) {
        let token = |tag| {
            let stamp = captured.stamps().iter().find(|stamp| stamp.tag == tag);
            stamp.map_or(NONE, |stamp| stamp.token)
        };
        let stamp = |text| {
            let tag = KeyHash::of(text);
            Stamp { tag, token: token(tag), former: None }
        };
        let stamps: Vec<_> = self.texts().map(stamp).collect();
        let are_all = stamps.iter().all(|stamp| stamp.token != NONE);
        (Standing::Stamps(stamps), are_all)
    }

    /// The stamp of the epoch; none while somebody writes a tag.
    pub(super) fn epoch_of(reply: &StoreResult<Stamped>) -> Option<Token> {
        match reply {
            Ok(Stamped::Stamp(token)) => Some(*token),
            Ok(Stamped::Fenced | Stamped::Foreign) | Err(_) => None,
        }
    }

    /// Captures the stamps that are missing, after the load, and says whether the value may be
    /// stored with them: `None` if a tag may have been invalidated since the stamp of the epoch was
    /// captured.
    pub(crate) async fn settle(
        &self,
        (store, epoch): (&Store, Name<'_>),
        stamps: &Standing,
        captured: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Option<Standing>> {
        let (Some(captured), Some(list)) = (captured, self.list.as_deref()) else {
            return Ok(None);
        };
        let mut stamps = stamps.stamps().to_vec();
        let texts = self.texts().zip(&mut stamps);
        let missing: Vec<_> = texts.filter(|(_, stamp)| stamp.token == NONE).collect();
        let names: Vec<_> =
            missing.iter().map(|(text, stamp)| Name { text, hash: stamp.tag }).collect();
        let replies = store.send_each(&names, CaptureStamp { need: list.need }, by).await;
        for ((_, stamp), reply) in missing.into_iter().zip(replies) {
            match reply? {
                Stamped::Stamp(token) => stamp.token = token,
                Stamped::Fenced | Stamped::Foreign => return Ok(None),
            }
        }
        // Only now: see the third step above.
        let present = Self::stamp_in(epoch, store.send(epoch, Get, by).await)?;
        let is_same = present.is_ok_and(|present| present.token == captured);
        Ok(is_same.then_some(Standing::Stamps(stamps)))
    }
}

/// Whether a record has room for so many names.
pub(crate) fn fits(names: &[String]) -> bool {
    names.len() <= MOST && record::length_of_names(names) <= MOST_BYTES
}

/// The keys of the tags that a value tells, in the order of their texts, each once.
pub(crate) fn told(cache: &Base, tags: Vec<Tag>) -> Result<Vec<String>, Unfit> {
    let mut texts = Vec::with_capacity(tags.len());
    for tag in tags {
        let text = tag.into_key().map_err(Unfit::Unhashable)?;
        texts.push(cache.full_text_of(text));
    }
    texts.sort_unstable();
    texts.dedup();
    if fits(&texts) { Ok(texts) } else { Err(Unfit::Tags(texts.len())) }
}
