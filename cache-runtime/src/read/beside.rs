//! Two releases side by side.
//!
//! While a deployment is under way, two releases may store values of one entry that differ in
//! `version`, codec or tags. If each replaced the other's, neither would have a hit. So a process
//! that finds a value of another release in the entry's key, the *main key*, leaves it there and
//! stores its own in a key beside it.
//!
//! That is an entry like every other, with its own leases, and the main key is a
//! [tag](crate::engine::tags) of it: its stamp is the token of the value in the main key. So
//! nothing has to be proved anew. An invalidation of the entry removes or replaces that value,
//! and then the entry beside it is a miss; a fence in the main key keeps the entry beside it from
//! being read and stored; and an invalidation that has not been delivered counts for both.
//!
//! The release that came second pays one more round trip for each read, until the value in the main
//! key has expired.

use crate::codec::Schema;
use crate::read::call::ReadCall;
use crate::record::KeyHash;

impl ReadCall {
    /// The same call for the entry in the key beside the main key, which holds values with this
    /// schema and these tags. No template ends in `!s`, and no argument has a `!`, so that key is
    /// used for nothing else.
    pub(crate) fn beside(&self) -> Self {
        let (main, Schema { codec, version }) = (&self.text, self.schema);
        let codec = char::from(codec.id());
        let text = match self.tags.digest() {
            Some(KeyHash(tags)) => format!("{main}!{codec}{version}.{tags:016x}!s"),
            None => format!("{main}!{codec}{version}!s"),
        };
        let (hash, mut tags) = (KeyHash::of(&text), self.tags.beside(main));
        if tags.are_told() {
            tags.set_of_value(self.cache.guesses().of(hash));
        }
        let (cache, looks_beside, alias) = (self.cache.clone(), false, None);
        Self { cache, text, hash, tags, looks_beside, alias, ..*self }
    }
}
