//! The stamps under which a write stores values: captured before its body, so that a later
//! invalidation of a tag makes the value a miss.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::Core;
use crate::engine::tags::{Standing, Tags};
use crate::key::{Key, Tag};
use crate::metrics::Event;
use crate::record::token::Token;
use crate::record::{self, KeyHash};
use crate::store::{Fill, Name, Store};

/// An entry with tags that a write is going to store a value in.
#[derive(Debug)]
pub(super) struct Tagged {
    text: String,
    tags: Vec<Tag>,
    /// Whether its value tells further tags.
    tells: bool,
    need: Duration,
}

/// What was captured for such entries, by their full texts.
#[derive(Debug, Default)]
pub(super) struct Stamps(BTreeMap<String, Captured>);

#[derive(Debug)]
struct Captured {
    stamps: Standing,
    /// The stamp of the epoch, for [tags that nobody guessed](crate::engine::tags::of_value).
    epoch: Option<Token>,
}

/// The tags of a value that nobody guessed.
#[derive(Debug)]
pub(super) struct Late {
    tags: Tags,
    stamps: Standing,
    epoch: Option<Token>,
}

impl Tagged {
    pub(super) fn new<T>(key: &Key<T>) -> Option<Self> {
        let (tags, tells) = (key.tags().to_vec(), key.tells_tags());
        let text = || key.as_str().to_owned();
        let has_tags = tells || !tags.is_empty();
        has_tags.then(|| Self { text: text(), tags, tells, need: key.longest_life() })
    }
}

impl Stamps {
    /// Captures the stamps. What is not acknowledged is left out.
    pub(super) async fn capture(cache: &Core, entries: &[Tagged]) -> Self {
        let mut captured = Self::default();
        let Some(store) = cache.store() else { return captured };
        let (by, epoch) = (cache.budget().deadline(), cache.epoch());
        for Tagged { text, tags, tells, need } in entries {
            let text = cache.full_text(text).into_owned();
            let guess = tells.then(|| cache.guesses().of(KeyHash::of(&text)));
            let epoch = tells.then(|| Name::new(&epoch));
            let tags = Tags::new(cache, tags, *need, guess);
            if let Ok((stamps, epoch)) = tags.capture_with(store, epoch, by).await {
                captured.0.insert(text, Captured { stamps, epoch });
            }
        }
        captured
    }

    /// The stamps under which a value with these tags may be stored, and what is to be done before
    /// it is; nothing if it may not be.
    pub(super) fn of(&self, tags: &Tags, text: &str) -> Option<(Standing, Option<Late>)> {
        if tags.is_empty() {
            return Some((Standing::none(), None));
        }
        let Captured { stamps, epoch } = self.0.get(text)?;
        if !matches!(stamps, Standing::Stamps(_)) {
            return None;
        }
        let (stamps, are_all) = tags.among(stamps);
        let late =
            (!are_all).then(|| Late { tags: tags.clone(), stamps: stamps.clone(), epoch: *epoch });
        Some((stamps, late))
    }
}

impl Late {
    /// Captures the stamps that are missing, and puts them into the record; or says what is to be
    /// counted if the value may not be stored.
    pub(super) async fn settle(
        self,
        cache: &Core,
        store: &Store,
        fill: &mut Fill,
    ) -> Result<(), Event> {
        let (epoch, by) = (cache.epoch(), cache.budget().deadline());
        let epoch = (store, Name::new(&epoch));
        match self.tags.settle(epoch, &self.stamps, self.epoch, by).await {
            Ok(Some(stamps)) => {
                record::set_stamps(&mut fill.record, stamps.stamps());
                Ok(())
            }
            Ok(None) => Err(Event::Overlapped),
            Err(error) => Err(error.event()),
        }
    }
}
