//! What becomes of a value that was loaded by an [alias](crate::read::alias): it is stored in the
//! entry of its entity, and the index in that of the alias.

use std::time::Duration;

use crate::engine::elsewhere;
use crate::engine::entry::{self, Head, Lasting, Unfit};
use crate::engine::flight::Landed;
use crate::engine::tags::of_value;
use crate::key::Entity;
use crate::read::call::ReadCall;
use crate::read::lease::{Captured, Lease, NOWHERE, Share};
use crate::read::load::finish::Finish;
use crate::read::load::mode::Loaded;
use crate::read::steps::Steps;
use crate::record::Stamp;
use crate::store::Fill;
use crate::support::panic::guarded;

/// The entry of an entity, made from the value that was loaded.
pub(in crate::read) struct EntityEntry {
    call: ReadCall,
    /// How long the value is fresh there, and how long it may be served after that; not at all if
    /// it is not to be stored.
    times: Option<(Duration, Duration)>,
}

impl ReadCall {
    /// The entry that a loaded value stands in, if it is another than that of the call, which knows
    /// it from now on.
    pub(super) fn find_entity(&mut self, steps: &dyn Steps) -> Option<Result<EntityEntry, Unfit>> {
        let entity = match guarded(|| steps.entity()) {
            Some(entity) => Ok(entity?),
            None => Err(Unfit::Unencodable),
        };
        Some(entity.and_then(|entity| self.enter(entity)))
    }

    fn enter(&mut self, entity: Entity) -> Result<EntityEntry, Unfit> {
        if let Some(unhashable) = entity.key.unhashable() {
            return Err(Unfit::Unhashable(unhashable));
        }
        if entity.key.is_alias() {
            return Err(Unfit::Alias);
        }
        let (owner, is_named) = (entity.key.owner, self.callsite.is_in_named_cache());
        if elsewhere::is_elsewhere(&self.cache, is_named, owner) {
            elsewhere::report(&self.cache, is_named, self.callsite, owner);
            return Err(Unfit::Elsewhere);
        }
        let times = entry::times(entity.key.callsite, &entity);
        let Entity { key, told, .. } = entity;
        let mut call = Self::of_entity(self.cache.clone(), key);
        if call.tags.are_told() {
            call.learn_tags(of_value::told(&self.cache, told)?);
        }
        let names = call.names();
        if call.hash == self.hash {
            return Err(Unfit::Alias);
        }
        if !of_value::fits(&names) {
            return Err(Unfit::Tags(names.len()));
        }
        self.learn_tags(names);
        Ok(EntityEntry { call, times })
    }
}

impl Lasting for Entity {
    fn is_absent(&self) -> bool {
        false
    }

    fn is_excluded(&self) -> bool {
        self.is_excluded
    }

    fn ttl(&self) -> Option<Duration> {
        self.ttl
    }
}

impl Loaded<'_> {
    /// Whether the value has told which keys it depends on, which nobody may have known before.
    pub(super) fn learns(&self) -> bool {
        self.call.tags.are_told() || self.call.is_alias()
    }

    pub(super) fn is_entity_being_written(&self) -> bool {
        let entity = self.entity.as_ref().and_then(|entity| entity.as_ref().ok());
        entity.is_some_and(|entity| entity.call.is_being_written())
    }

    /// Stores what can be stored: the value and the index if nothing stood in the entity's key, the
    /// index if the value stood there, and a hint if it was not known where to look, or something
    /// else stood there.
    pub(super) fn end_alias(&mut self, mut lease: Box<Lease>, awaited: bool) -> Option<Finish> {
        let captured = lease.take_captured();
        if let Some(share) = self.refused_unstored(awaited) {
            lease.decline(share);
            return None;
        }
        let entity = self.entity.take()?.inspect_err(|unfit| self.tell(unfit)).ok();
        let entity = entity.filter(|it| !self.call.is_outdated() && !it.call.is_outdated());
        let (Some(EntityEntry { call, times }), Some((fresh, _))) = (entity, self.times()) else {
            let share = self.share(awaited, None);
            lease.decline(share);
            return None;
        };
        // Callers that join until the end of the fill cannot use its record, which is an index.
        let landed = if lease.is_led() { self.landed() } else { None };
        let mut stamps = lease.stamps().stamps().to_vec();
        let (mut of_entity, names) = (None, call.names());
        let none = (call.tags.unstamped(), NOWHERE);
        let (watched, token) = match captured {
            Some(Captured::Value(value, stamps))
                if value.key() == call.hash && call.is_of_release(&value) =>
            {
                (stamps, value.token())
            }
            Some(Captured::Lease(mut held)) if held.is_of(&call) => {
                held.adopt(call.clone());
                match self.fill_of(&call, times, &held) {
                    Some(fill) => {
                        let captured = (held.stamps().clone(), held.token());
                        of_entity = Some((held, fill));
                        captured
                    }
                    None => none,
                }
            }
            _ => none,
        };
        stamps.push(Stamp { tag: call.hash, token, former: None });
        let (name, token, took) = (self.call.hash, lease.token(), self.took);
        let record = Head { name, token, stamps: &stamps, told: None, took }.index(&names);
        let present = stamps.last().map_or(NOWHERE, |stamp| stamp.token);
        lease.watch(&call, &watched, present);
        let fill = Fill::new(record, fresh, Duration::ZERO);
        Some(Finish::StoreBoth(lease, fill, landed, of_entity))
    }

    /// The value as the entry of its entity has it, if it is to be stored there.
    fn fill_of(
        &self,
        entity: &ReadCall,
        times: Option<(Duration, Duration)>,
        lease: &Lease,
    ) -> Option<Fill> {
        let (fresh, stale) = times?;
        let ReadCall { cache, callsite, schema, .. } = entity;
        let (stamps, told) = (lease.stamps().stamps(), entity.tags.of_value());
        let head = Head { name: entity.hash, token: lease.token(), stamps, told, took: self.took };
        let record = head.record(cache, callsite, *schema, &*self.steps);
        let record = record.inspect_err(|unfit| unfit.tell(cache, callsite)).ok()?;
        Some(Fill::new(record, fresh, stale))
    }

    /// The value for waiters.
    fn landed(&self) -> Option<Landed> {
        match self.share(true, None) {
            Share::Value(landed) => Some(landed),
            Share::Nothing | Share::Failure(_) => None,
        }
    }

    fn tell(&self, unfit: &Unfit) {
        unfit.tell(&self.call.cache, self.call.callsite);
    }
}
