//! What the load of an [alias](crate::read::alias) holds of its entity.

use crate::engine::tags::Standing;
use crate::read::call::ReadCall;
use crate::read::lease::Lease;
use crate::record::token::Token;
use crate::record::{Stamp, Value};

/// The token that stands in no key.
pub(in crate::read) const NOWHERE: Token = Token::from_bytes([0; Token::LEN]);

/// What a load has captured of the entity before its body began.
pub(in crate::read) enum Captured {
    /// The value that stood there, and the stamps of its tags.
    Value(Value, Standing),
    /// There was none: the right to store the one that the body returns.
    Lease(Box<Lease>),
}

impl Lease {
    /// Holds this together with the lease of the alias.
    pub(in crate::read) fn hold(&mut self, captured: Option<Captured>) {
        self.captured = captured;
    }

    pub(in crate::read) fn take_captured(&mut self) -> Option<Captured> {
        self.captured.take()
    }

    /// The lease of the entity, if it is held.
    pub(super) fn of_entity(&self) -> Option<&Self> {
        match &self.captured {
            Some(Captured::Lease(lease)) => Some(lease),
            Some(Captured::Value(..)) | None => None,
        }
    }

    /// Whether it is a lease of this entry.
    pub(in crate::read) fn is_of(&self, call: &ReadCall) -> bool {
        self.call.hash == call.hash && self.call.text == call.text
    }

    /// The entry is this one, of which only the names were known before the load.
    pub(in crate::read) fn adopt(&mut self, call: ReadCall) {
        self.take_tags(&call.tags);
        self.call = call;
    }

    /// What was loaded is outdated as soon as one of the tags of the entity changes, or what stands
    /// in its key, which is `present` from now on.
    pub(in crate::read) fn watch(&mut self, entity: &ReadCall, stamps: &Standing, present: Token) {
        let of_entity = Stamp { tag: entity.hash, token: present, former: None };
        let all = [self.stamps.stamps(), stamps.stamps(), &[of_entity]].concat();
        self.call.tags = self.call.tags.with_entity(&entity.tags, &entity.text);
        self.stamps = Standing::Stamps(all);
    }

    /// Whether its index only says where the value would be.
    pub(super) fn is_hint(&self) -> bool {
        self.call.is_alias() && self.stamps.stamps().last().is_some_and(|it| it.token == NOWHERE)
    }
}
