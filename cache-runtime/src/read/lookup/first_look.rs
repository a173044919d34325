//! A single look of a call into the store, and what its reply means to the call.

use bytes::Bytes;

use crate::engine::tags::Standing;
use crate::policy::FINGERPRINT;
use crate::read::load::desk::Question;
use crate::read::load::steps::{Memory, Steps};
use crate::read::lookup::Lookup;
use crate::read::lookup::interpret::{Interpreted, Reader};
use crate::record::Value;
use crate::store::{Get, Now, StoreResult};
use crate::support::panic::guarded;

/// What a reply of the store means to the caller.
pub(in crate::read) enum Seen {
    /// A value that decodes, and is the result of the call by now, with its record.
    Value(Value),
    None(Lack),
}

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::read) enum Lack {
    /// There is nothing, or nothing that may stay.
    Miss,
    /// A fence, somebody else's data, or no answer: the store is useless for this call.
    Obstacle,
    /// A value of another release, which that one can use. This one's stands [beside](crate::read::lookup::aside) it.
    Elsewhere,
}

/// What the store replied, of entry, stamps and clock.
pub(in crate::read) struct Reply {
    pub(in crate::read) record: StoreResult<Option<Bytes>>,
    pub(in crate::read) stamps: StoreResult<Standing>,
    /// The time by the clock of the store, where it was asked.
    pub(in crate::read) now_ms: StoreResult<u64>,
}

impl Reply {
    pub(in crate::read) fn of_entry(record: StoreResult<Option<Bytes>>) -> Self {
        Self { record, stamps: Ok(Standing::none()), now_ms: Ok(0) }
    }

    pub(in crate::read) fn tagged(
        (record, stamps): (StoreResult<Option<Bytes>>, StoreResult<Standing>),
    ) -> Self {
        Self { record, stamps, now_ms: Ok(0) }
    }
}

impl Lookup<'_> {
    /// Reads the entry, the stamps of its tags and, if the value's age counts, the time by the clock of the store. One
    /// round trip.
    pub(in crate::read) async fn ask(&self, dated: bool) -> Reply {
        let (name, tags, by) = (self.name(), &self.entry.tags, self.budget.deadline());
        let Some(store) = self.entry.cache.store() else {
            return Reply::of_entry(Ok(None));
        };
        if !dated {
            return if tags.is_empty() {
                self.ask_for_value().await
            } else {
                Reply::tagged(tags.read_with(store, name, by).await)
            };
        }
        let read = async {
            if tags.is_empty() {
                (store.send(name, Get, by).await, Ok(Standing::none()))
            } else {
                tags.read_with(store, name, by).await
            }
        };
        let ((record, stamps), now_ms) = tokio::join!(read, store.send(name, Now, by));
        Reply { record, stamps, now_ms }
    }

    /// The same of an entry without tags whose age does not count: all that most hits need.
    pub(in crate::read) async fn ask_for_value(&self) -> Reply {
        let record = match self.entry.cache.store() {
            Some(store) => store.send(self.name(), Get, self.budget.deadline()).await,
            None => Ok(None),
        };
        Reply::of_entry(record)
    }

    /// Looks, and interprets what was replied; also the time by the clock of the store.
    pub(in crate::read) async fn look_dated(&mut self) -> (Seen, u64) {
        let reply = self.ask(true).await;
        let now_ms = reply.now_ms.clone().unwrap_or_default();
        let candidate = self.judge(reply);
        (self.confirm(candidate).await, now_ms)
    }

    /// The value that a reply holds, which may prove useless yet, or why there is none. Remembers one that is useless,
    /// such as one stored under other stamps.
    pub(in crate::read) fn judge(&mut self, reply: Reply) -> Result<Value, Lack> {
        let Reply { record, stamps, now_ms } = reply;
        let error = match (stamps, now_ms) {
            (_, Err(error)) | (Err(error), Ok(_)) => error,
            (Ok(Standing::Fenced), _) => return Err(Lack::Obstacle),
            (Ok(stamps), _) => match record {
                Ok(Some(record)) => return self.examine(record, &stamps),
                Ok(None) => return Err(Lack::Miss),
                Err(error) => error,
            },
        };
        self.count(error.event());
        Err(Lack::Obstacle)
    }

    /// The same for a record that was read under these stamps.
    pub(in crate::read) fn examine(
        &mut self,
        record: Bytes,
        stamps: &Standing,
    ) -> Result<Value, Lack> {
        match self.reader().interpret(self.name(), record, stamps) {
            Interpreted::Value(value) if self.is_of_another_release(&value) => Err(Lack::Elsewhere),
            Interpreted::Value(value) => Ok(value),
            Interpreted::Outdated(value) if self.is_of_another_release(&value) => {
                Err(Lack::Elsewhere)
            }
            Interpreted::Outdated(value) => {
                self.reject = Some(value.token());
                Err(Lack::Miss)
            }
            Interpreted::Useless(token) => {
                self.reject = Some(token);
                Err(Lack::Miss)
            }
            Interpreted::Nothing => Err(Lack::Miss),
            Interpreted::Obstacle => Err(Lack::Obstacle),
        }
    }

    /// Makes such a value the result of the call.
    pub(in crate::read) async fn confirm(&mut self, candidate: Result<Value, Lack>) -> Seen {
        match candidate {
            Ok(value) => {
                let decodes = self.decode(&value).await;
                self.seen(value, decodes)
            }
            Err(lack) => Seen::None(lack),
        }
    }

    /// The same for a caller that is not in a search.
    pub(in crate::read) fn confirm_by(
        &mut self,
        candidate: Result<Value, Lack>,
        steps: &mut dyn Steps,
    ) -> Seen {
        match candidate {
            Ok(value) => {
                let decodes = self.fits(&value) && self.decode_by(&value, steps);
                self.told(&value, decodes);
                self.seen(value, decodes)
            }
            Err(lack) => Seen::None(lack),
        }
    }

    fn decode_by(&self, value: &Value, steps: &mut dyn Steps) -> bool {
        if value.is_error() {
            return self.question(value).is_some_and(|question| question.answer(steps));
        }
        // Without a question, which would hold the value: its first clone allocates.
        let codec = self.entry.schema.codec;
        guarded(|| steps.decode(value.payload(), codec)).unwrap_or(false)
    }

    fn seen(&mut self, value: Value, decodes: bool) -> Seen {
        if decodes {
            return Seen::Value(value);
        }
        self.reject = Some(value.token());
        Seen::None(Lack::Miss)
    }

    /// Whether a value of this entry decodes, and so has become the result of the call.
    pub(in crate::read) async fn decode(&self, value: &Value) -> bool {
        let decodes = match self.question(value) {
            Some(question) if self.fits(value) => self.put(question).await,
            _ => false,
        };
        self.told(value, decodes);
        decodes
    }

    /// Asks the caller.
    pub(in crate::read) async fn put(&self, question: Question) -> bool {
        match &self.desk {
            Some(desk) => desk.ask(question).await,
            None => false,
        }
    }

    fn fits(&self, value: &Value) -> bool {
        self.reader().fits(value)
    }

    fn told(&self, value: &Value, decodes: bool) {
        if !decodes {
            self.reader().count_undecodable(value);
        }
    }

    /// What has to be answered for a value to be the result; `None` where nobody could: a remembered error of another
    /// function, or of another process.
    fn question(&self, value: &Value) -> Option<Question> {
        if !value.is_error() {
            return Some(Question::Decode(value.clone(), self.entry.schema.codec));
        }
        match self.memory? {
            Memory::Wire => {
                let function = value.payload().get(..FINGERPRINT)?;
                let is_own = function == self.entry.callsite.fingerprint();
                is_own.then(|| Question::DecodeError(value.clone(), self.entry.schema.codec))
            }
            Memory::Local => {
                let errors = self.entry.cache.errors();
                errors.get(value.token(), self.entry.callsite).map(Question::UnshareError)
            }
        }
    }

    pub(in crate::read) fn reader(&self) -> Reader<'_> {
        let entry = &self.entry;
        Reader { cache: &entry.cache, callsite: entry.callsite, schema: entry.schema }
    }
}
