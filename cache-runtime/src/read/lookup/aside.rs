//! Two releases side by side.
//!
//! While a deployment is under way, two releases may store values of one entry that differ in `version`, codec or tags.
//! If each replaced the other's, neither would have a hit. So a process that finds a value of another release in the
//! entry's key, the *main key*, leaves it there and has its own in a key beside it.
//!
//! That is an entry like every other, with its own leases, and the main key is a [tag](crate::engine::tags) of it: its stamp is
//! the token of the value that stands in the main key. So nothing has to be proved anew. Whatever invalidates the entry
//! removes or replaces that value, and then the entry beside it is a miss; a fence in the main key keeps the entry beside
//! it from being read and stored; and an invalidation that has not been delivered counts for both.
//!
//! The release that came second pays one more round trip for each read, until the value in the main key has expired.

use std::pin::Pin;

use crate::codec::{Codec, Schema};
use crate::engine::Mode;
use crate::engine::tags::Tags;
use crate::read::lookup::interpret::Reader;
use crate::read::lookup::{Entry, Known, Looked, Lookup};
use crate::record::{KeyHash, Value};

/// The key beside an entry's main key for values of this schema with these tags, and the tags of the entry there. No
/// template ends in `!s`, and no argument has a `!`.
pub(crate) fn beside(main: &str, schema: Schema, tags: &Tags) -> (String, Tags) {
    let Schema { codec, version } = schema;
    let codec = char::from(codec.id());
    let text = match tags.digest() {
        Some(KeyHash(tags)) => format!("{main}!{codec}{version}.{tags:016x}!s"),
        None => format!("{main}!{codec}{version}!s"),
    };
    (text, tags.beside(main))
}

impl Reader<'_> {
    /// Whether a value is one of another release, and may be of use to that.
    pub(crate) fn is_of_another_release(&self, value: &Value, tags: &Tags) -> bool {
        Codec::has(value.codec())
            && value.is_whole()
            && !(self.is_of_schema(value) && tags.are_those_of(value))
    }
}

impl Entry {
    /// The entry beside it, for values of this release.
    fn beside(&self) -> Self {
        let (text, tags) = beside(&self.text, self.schema, &self.tags);
        Self { hash: KeyHash::of(&text), text, tags, ..self.clone() }
    }
}

impl Lookup<'_> {
    /// Whether another release has stored a value, which this one would only replace by its own.
    pub(in crate::read) fn is_of_another_release(&self, value: &Value) -> bool {
        self.steps_aside && self.reader().is_of_another_release(value, &self.entry.tags)
    }

    /// From here on, the lookup is about the entry beside.
    pub(in crate::read) fn step_aside(&mut self) {
        self.entry = self.entry.beside();
        self.steps_aside = false;
        (self.reject, self.unasked) = (None, false);
        // The next call looks before it asks for the lease, and so finds the same without holding up others.
        self.entry.cache.recorder().is_no_longer_dry(self.entry.callsite);
    }

    /// Looks for the value of this release in the key beside. A boxed future without its type, as a lookup calls it that
    /// it may call again.
    pub(in crate::read) fn look_aside(
        &mut self,
        mode: Mode,
    ) -> Pin<Box<dyn Future<Output = Looked> + Send + '_>> {
        self.step_aside();
        Box::pin(async move {
            let known = if let Some(known) = self.begin(mode) {
                known
            } else {
                let reply = self.ask(false).await;
                let candidate = self.judge(reply);
                let seen = self.confirm(candidate).await;
                if self.is_hit(mode, &seen) {
                    return Looked::Found;
                }
                Known::Seen(seen)
            };
            self.go_on(mode, known).await
        })
    }
}
