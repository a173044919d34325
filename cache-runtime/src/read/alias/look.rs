//! A look into both keys of an alias: its own, and that of the entity.

use crate::codec::Codec;
use crate::engine::tags::{Standing, Tags};
use crate::key::Entity;
use crate::metrics::{MissReason, UncachedReason};
use crate::read::call::ReadCall;
use crate::read::interpret::{Missing, Reply};
use crate::record::token::Token;
use crate::record::{KeyHash, Stamp, Value};
use crate::store::{Store, StoreError};
use crate::support::budget::Deadline;

/// What a look has found in the key of the entity, whatever the alias says of it.
#[derive(Clone, Debug, Default)]
pub(in crate::read) enum SeenEntity {
    /// Nothing, or nothing that says anything about the next load.
    #[default]
    Unknown,
    /// A value, stored under these stamps of its tags, which are still the same.
    Valid(Value, Standing),
    /// The value with this token, which is of no use.
    Useless(Token),
}

impl ReadCall {
    /// Reads the entry, that of the entity if it is known, and the stamps of both, at once.
    pub(crate) async fn ask_both(&self, store: &Store, by: Deadline) -> Reply {
        let entity = self.entity().map(|entity| (entity.name(), &entity.tags));
        let entries: Vec<_> = [(self.name(), &self.tags)].into_iter().chain(entity).collect();
        let mut replies = Tags::read_with_each(store, &entries, by).await.into_iter();
        let unexpected = || (Err(StoreError::Unexpected), Ok(Standing::none()));
        let reply = Reply::tagged(replies.next().unwrap_or_else(unexpected));
        Reply { entity: replies.next(), ..reply }
    }

    /// The value of an alias, which is that of the entity if the index is up to date; and what
    /// stands in the entity's key.
    pub(in crate::read) fn interpret_both(
        &self,
        mut reply: Reply,
    ) -> (Result<Value, Missing>, SeenEntity) {
        let reply_of_entity = reply.entity.take();
        let Some((entity, (record, stamps))) = self.entity().zip(reply_of_entity) else {
            return (self.interpret_index(reply, None), SeenEntity::Unknown);
        };
        let standing = stamps.clone().unwrap_or(Standing::Missing);
        let seen = entity.interpret(Reply::tagged((record, stamps)));
        // An error is remembered for the entity's function alone.
        let error = || Missing::Blocked(UncachedReason::NotGranted, Some(MissReason::Absent));
        let seen = seen.and_then(|value| if value.is_error() { Err(error()) } else { Ok(value) });
        let state = match &seen {
            Ok(value) => SeenEntity::Valid(value.clone(), standing),
            Err(Missing::Nothing(_, Some(token))) => SeenEntity::Useless(*token),
            Err(_) => SeenEntity::Unknown,
        };
        (self.interpret_index(reply, Some((entity.hash, seen))), state)
    }

    /// What the record of the alias gives, with what was found in the key of the entity.
    fn interpret_index(
        &self,
        reply: Reply,
        entity: Option<(KeyHash, Result<Value, Missing>)>,
    ) -> Result<Value, Missing> {
        let (record, stamps, now_ms) = reply.into_record()?;
        let index = self.value_in(record)?;
        if !index.is_index() {
            return self.interpret_record(index.record().clone(), &stamps, now_ms);
        }
        let names = index.names().unwrap_or_default();
        let known = self.alias.as_deref().map_or(&[][..], |alias| &alias.names);
        if !known.iter().eq(&names) {
            return Err(Missing::OtherTags(names.into_iter().map(str::to_owned).collect()));
        }
        // The entity's key is as a tag of the index.
        let useless = |reason| Missing::Nothing(reason, Some(index.token()));
        let Some((hash, seen)) = entity else { return Err(useless(MissReason::Tag)) };
        let seen = seen.map_err(|missing| match missing {
            Missing::Nothing(reason, _) => useless(reason),
            // The value tells other tags than those whose stamps were read: the next look reads
            // those of these.
            Missing::OtherTags(texts) => {
                self.cache.guesses().learn(hash, &texts);
                Missing::OtherTags(known.to_vec())
            }
            missing => missing,
        })?;
        let of_entity = Stamp { tag: hash, token: seen.token(), former: None };
        let stamps: Vec<_> = stamps.stamps().iter().copied().chain([of_entity]).collect();
        if index.has_stamps(&stamps) { Ok(seen) } else { Err(useless(MissReason::Tag)) }
    }

    /// Whether a value that has been decoded is the result of a call of this alias. Either it has
    /// no entity, and stands in this entry. Or it stands in the entry that it makes the key of, in
    /// the way in which values are stored there.
    pub(crate) fn accepts(&self, value: &Value, entity: Option<Entity>) -> bool {
        let Some(Entity { key, .. }) = entity else { return value.key() == self.hash };
        if key.is_alias() || value.key() == self.hash {
            return false;
        }
        let entity = Self::of_entity(self.cache.clone(), key);
        entity.hash == value.key() && entity.is_of_release(value)
    }

    /// What the payload of a value is encoded with.
    pub(crate) fn codec_of(&self, value: &Value) -> Option<Codec> {
        if self.is_alias() { Codec::of(value.codec()) } else { Some(self.schema.codec) }
    }
}
