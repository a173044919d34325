//! Aliases: functions that find one entity by another key than its own.
//!
//! `find_user("ada@example.org")` and `get_user(7)` return the same row, so its value is stored
//! once, in the entry of the entity, `user:7`. What stands in the key of the alias is an *index*.
//! It names the entity's key, and one of its stamps is the token of the value that stands there, as
//! if that key were a tag. So a hit reads both keys at once, and whatever changes the entity
//! outdates every way to it: a fence, an invalidation, a `DEL` by any client, its end, another
//! value.
//!
//! Nothing stale is lent, for this reason: a load captures what stands in the entity's key *before*
//! its body runs. If that is a value, only the index is stored afterwards, with the token of that
//! value. If there is nothing, the load takes the entity's lease, and the value is stored under it
//! like any other; its token is the lease's, which the index has as its stamp. Either way, let a
//! write commit after the body has read. It invalidates the entity after that, and then the token
//! that the index has stands nowhere, and never will again. Both records are sent at once: if that
//! of the entity is refused, the index has a token that no value has.
//!
//! # The first load
//!
//! Which entity it is, the first load of an alias learns only from its body, when it is too late to
//! capture anything: between the two, this could happen.
//!
//! ```text
//! reader: loads the old row by its email
//! writer: commits, invalidates the entity
//! reader: finds out which entity it is, takes its lease, stores the old row, and nobody removes it
//! ```
//!
//! To compare bytes does not help. Where the email is in a table of its own, the row may be the
//! same as the one in the entry, and the email somebody else's by now. An epoch, as for [tags of
//! the value](crate::engine::tags), would miss a plain `DEL`. So the first load stores a *hint*: an
//! index whose last stamp is no token. It is never a hit, and tells every process which entity to
//! look at before the next load. That one stores both records.
//!
//! # Whose entity it is
//!
//! An index may be wrong: forged, or stored by a release whose entities have other keys, another
//! codec or other tags. So nothing is lent that does not say itself whose it is. When a value has
//! been decoded, its own key is made from it, and must be the one that it was found in; so must its
//! codec, its `version` and its tags.
//!
//! A value that says that there is nothing has no entity. It stands in the alias's own key, like
//! that of any other function, and nothing else does: a value with an entity that is found there is
//! of no use.

pub(in crate::read) mod known;
pub(in crate::read) mod look;
