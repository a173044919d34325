//! What a call knows of the entity that its key is an alias of.

use crate::codec::{Codec, Schema};
use crate::engine::tags::Tags;
use crate::engine::{Core, Mode};
use crate::key::{ANY_NEED, TAG_PREFIX, Untyped};
use crate::read::call::ReadCall;
use crate::record::{KeyHash, Value};

/// Stands behind the version of a value that tells tags.
const TELLS: &str = "+";

/// What is known of an entity before its value is.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    /// What an [index](ReadCall::names) says of it; empty as long as nothing is known.
    pub(super) names: Vec<String>,
    /// Its entry, if that is what they name.
    entity: Option<ReadCall>,
}

impl ReadCall {
    /// Whether the value stands in another entry.
    pub(crate) fn is_alias(&self) -> bool {
        self.alias.is_some()
    }

    /// The entry of the entity, as far as it is known.
    pub(in crate::read) fn entity(&self) -> Option<&Self> {
        self.alias.as_deref()?.entity.as_ref()
    }

    /// The entry that a value was found in: this one, or that of the entity.
    pub(in crate::read) fn holder(&self, value: &Value) -> &Self {
        self.entity().filter(|entity| entity.hash == value.key()).unwrap_or(self)
    }

    /// The entry with the key that an alias has made of a value.
    pub(in crate::read) fn of_entity(cache: Core, key: Untyped) -> Self {
        // What is stored there replaces every value.
        Self::new(cache, key, Mode::Refresh)
    }

    /// The call of an alias, for whose entity it takes the one that this process saw last.
    pub(in crate::read) fn guessing(mut self) -> Self {
        let names = self.cache.guesses().of(self.hash);
        self.know(names);
        self
    }

    /// Takes the entry with these names for that of the entity.
    pub(in crate::read) fn know(&mut self, names: Vec<String>) {
        let entity = self.named(&names);
        self.alias = Some(Box::new(Alias { names, entity }));
    }

    /// What an index says of this entry: its key, how its value is encoded and whether it tells
    /// tags, and the tags that its key tells.
    pub(in crate::read) fn names(&self) -> Vec<String> {
        let Schema { codec, version } = self.schema;
        let tells = if self.tags.are_told() { TELLS } else { "" };
        let encoding = format!("{}{version}{tells}", char::from(codec.id()));
        let own = [self.text.clone(), encoding];
        own.into_iter().chain(self.tags.of_key().iter().cloned()).collect()
    }

    /// The entry with these names. Only what can be the key of an entry in this namespace is one,
    /// and so it is with its tags: nothing else is read because of what stands in a record.
    fn named(&self, names: &[String]) -> Option<Self> {
        let [text, encoding, tags @ ..] = names else { return None };
        let (own, tag) = (self.cache.full_text(""), self.cache.full_text(TAG_PREFIX));
        let is_entry = text.strip_prefix(&*own).is_some_and(|rest| !rest.starts_with('~'));
        if !is_entry || *text == self.text || !tags.iter().all(|it| it.starts_with(&*tag)) {
            return None;
        }
        let (codec, version) = encoding.split_at_checked(1)?;
        let codec = codec.bytes().next().and_then(Codec::of)?;
        let hash = KeyHash::of(text);
        let (version, told) = match version.strip_suffix(TELLS) {
            Some(version) => (version, Some(self.cache.guesses().of(hash))),
            None => (version, None),
        };
        let schema = Schema { codec, version: version.parse().ok()? };
        let tags = Tags::named(tags.to_vec(), told, ANY_NEED);
        let (cache, text) = (self.cache.clone(), text.clone());
        Some(Self { cache, schema, text, hash, tags, looks_beside: false, alias: None, ..*self })
    }
}
