//! A single look into the store, and turning what it found into the result of the call.

use bytes::Bytes;
use tokio::time::Instant;

use crate::engine::flight::Leader;
use crate::engine::report;
use crate::engine::tags::Standing;
use crate::metrics::{Ending, MissReason, OutcomeKind, UncachedReason};
use crate::policy::FINGERPRINT;
use crate::read::alias::look::SeenEntity;
use crate::read::call::ReadCall;
use crate::read::freshness::{AgePolicy, Freshness};
use crate::read::interpret::{Missing, Reply};
use crate::read::lookup::{Lookup, LookupOutcome, MissState, Step};
use crate::read::restore::Source;
use crate::read::steps::{ErrorMemory, Steps};
use crate::record::Value;
use crate::store::{Get, Now};
use crate::support::trace;

impl Lookup<'_> {
    /// Looks into the store.
    pub(super) async fn look(&mut self, leader: Option<Leader>) -> Step {
        if self.age == AgePolicy::Ignored && leader.is_some() && !self.call.is_alias() {
            // Asks for the lease at once: if there is a value, that is the answer.
            return self.acquire(leader).await;
        }
        let mark = leader.as_ref().map(Leader::mark);
        if self.call.is_outdated() {
            return Step::Decide(leader.zip(mark), Err(Missing::outdated()), Freshness::Expired);
        }
        let reply = self.ask().await;
        let (seen, freshness) = self.judge(reply);
        Step::Decide(leader.zip(mark), self.confirm(seen).await, freshness)
    }

    /// Reads the entry, the stamps of its tags and, unless the function ignores the age of values,
    /// the store's time. One round trip.
    pub(in crate::read) async fn ask(&self) -> Reply {
        let (name, tags, by) = (self.call.name(), &self.call.tags, self.budget.deadline());
        let Some(store) = self.call.cache.store() else {
            return Reply::of_entry(Ok(None));
        };
        if self.call.is_alias() {
            return self.call.ask_both(store, by).await;
        }
        if self.needs_value_only() {
            return Reply::of_entry(store.send(name, Get, by).await);
        }
        if self.age == AgePolicy::Ignored {
            return Reply::tagged(tags.read_with(store, name, by).await);
        }
        let read = async {
            if tags.is_empty() {
                (store.send(name, Get, by).await, Ok(Standing::none()))
            } else {
                tags.read_with(store, name, by).await
            }
        };
        let ((record, stamps), now_ms) = tokio::join!(read, store.send(name, Now, by));
        Reply { now_ms, ..Reply::tagged((record, stamps)) }
    }

    /// Whether a look reads nothing but the entry: it has no tags, and its age is ignored.
    pub(in crate::read) fn needs_value_only(&self) -> bool {
        self.age == AgePolicy::Ignored && self.call.tags.is_empty() && !self.call.is_alias()
    }

    /// Reads an entry without tags whose age is ignored: all that most hits need. Takes the lookup
    /// and returns it, so that this is the whole future of the stage.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    pub(in crate::read) fn ask_for_value(self) -> impl Future<Output = (Self, Reply)> + Send {
        async move {
            let record = match self.call.cache.store() {
                Some(store) => store.send(self.call.name(), Get, self.budget.deadline()).await,
                None => Ok(None),
            };
            (self, Reply::of_entry(record))
        }
    }

    /// The whole first look, if that takes no waiting: in the embedded store. `None` if it does, as
    /// it does with tags.
    pub(in crate::read) fn look_at_once(
        &mut self,
        now: Instant,
    ) -> Option<(Result<Value, Missing>, Freshness)> {
        if !self.needs_value_only() {
            return None;
        }
        let store = self.call.cache.store()?.here()?;
        let seen = match store.read(self.call.name(), now) {
            Some(record) => self.judge_record(record, &Standing::none()),
            None => Err(Missing::Nothing(MissReason::Absent, None)),
        };
        let freshness = self.freshness(&seen, 0);
        Some((seen, freshness))
    }

    /// Interprets a reply, which gives a value that may not decode. Also says what may be done with
    /// the value, which is drawn once for each look: an early refresh is a chance.
    pub(in crate::read) fn judge(&mut self, reply: Reply) -> (Result<Value, Missing>, Freshness) {
        let now_ms = reply.now_ms.clone().unwrap_or_default();
        let seen = if self.call.is_alias() {
            self.interpret_both(reply)
        } else {
            self.call.interpret(reply)
        };
        let seen = self.noted(seen);
        let freshness = self.freshness(&seen, now_ms);
        (seen, freshness)
    }

    /// What may be done with what was seen, at this time by the store's clock.
    fn freshness(&self, seen: &Result<Value, Missing>, now_ms: u64) -> Freshness {
        let Ok(value) = seen else { return Freshness::Expired };
        // Zero if the store was not asked.
        if now_ms > 0 {
            trace::age(now_ms.saturating_sub(value.stored_at_ms()));
            report::found(value.stored_at_ms(), value.fresh_until_ms(), now_ms);
        }
        Freshness::of(value, self.age, self.call.callsite.policy(), now_ms)
    }

    /// Interprets a record that was read under these stamps.
    pub(super) fn judge_record(
        &mut self,
        record: Bytes,
        stamps: &Standing,
    ) -> Result<Value, Missing> {
        let seen = self.call.interpret_record(record, stamps, 0);
        self.noted(seen)
    }

    /// Remembers the token of a value that is of no use, and counts a failure of the store, which
    /// from here on is in the way like a fence.
    fn noted(&mut self, seen: Result<Value, Missing>) -> Result<Value, Missing> {
        match &seen {
            Err(Missing::Nothing(_, Some(token))) => self.reject = Some(*token),
            Err(Missing::Unanswered(error)) => {
                self.call.count(error.event());
                return Err(Missing::Blocked(UncachedReason::Unavailable, None));
            }
            _ => {}
        }
        seen
    }

    /// Makes the value that was seen the result of the call, from inside the search.
    pub(super) async fn confirm(&mut self, seen: Result<Value, Missing>) -> Result<Value, Missing> {
        let value = seen?;
        let decoded = self.decode(&value).await;
        self.confirmed(value, decoded)
    }

    /// The same from outside of a search, where the types are at hand.
    pub(in crate::read) fn confirm_by(
        &mut self,
        seen: Result<Value, Missing>,
        steps: &mut dyn Steps,
    ) -> Result<Value, Missing> {
        let value = seen?;
        let codec = self.call.schema.codec;
        let decoded = self.call.decode(&value, |value| {
            let decodes = if value.is_error() || self.call.is_alias() {
                self.source(value).is_some_and(|source| source.restore(steps))
            } else {
                // Without a source, which would hold the value: its first clone allocates.
                steps.decode(value.payload(), codec)
            };
            decodes.then_some(())
        });
        self.confirmed(value, decoded)
    }

    fn confirmed(&mut self, value: Value, decoded: Result<(), Missing>) -> Result<Value, Missing> {
        match decoded {
            Ok(()) => Ok(value),
            Err(Missing::Nothing(reason, _)) => Err(self.discard(&value, reason)),
            Err(missing) => Err(missing),
        }
    }

    /// Remembers a value that is of no use, which the lease may replace.
    pub(super) fn discard(&mut self, value: &Value, reason: MissReason) -> Missing {
        if value.key() == self.call.hash {
            self.reject = Some(value.token());
        } else {
            self.seen_entity = SeenEntity::Useless(value.token());
        }
        Missing::Nothing(reason, self.reject)
    }

    /// Decodes a value, which becomes the result of the call.
    pub(super) async fn decode(&self, value: &Value) -> Result<(), Missing> {
        let decodes = match self.source(value) {
            Some(source) => self.restore(source).await,
            None => false,
        };
        if decodes { Ok(()) } else { Err(self.call.undecoded(value)) }
    }

    /// Counts a lookup that has found nothing, once per call.
    pub(super) fn missed(&mut self, reason: MissReason) {
        if matches!(self.misses, MissState::Counted(_)) {
            return;
        }
        self.misses = MissState::Counted(reason);
        self.call.cache.recorder().missed(self.call.callsite, reason);
        report::missed(reason);
        self.note_miss(None);
    }

    /// Notes why the call runs its body uncached, if it does.
    pub(in crate::read) fn note_uncached(&self, outcome: &LookupOutcome) {
        if let LookupOutcome::Load(_, Ending { why: Some(why), .. }) = outcome {
            self.note_miss(Some(*why));
        }
    }

    /// For those who ask what has become of the latest calls for the entry.
    fn note_miss(&self, uncached: Option<UncachedReason>) {
        let missed = match self.misses {
            MissState::Counted(reason) => Some(reason),
            MissState::None | MissState::Unasked => None,
        };
        let ReadCall { cache, callsite, hash, .. } = &self.call;
        cache.misses().note(*hash, callsite, missed, uncached);
    }

    /// Has the poller of the search turn something into the result of the call.
    pub(super) async fn restore(&self, source: Source) -> bool {
        match &self.channel {
            Some(channel) => channel.request(source).await,
            None => false,
        }
    }

    /// What a value is restored from; `None` if it is a remembered error of another function, or of
    /// another process, which this call cannot return.
    fn source(&self, value: &Value) -> Option<Source> {
        let codec = self.call.schema.codec;
        if !value.is_error() && self.call.is_alias() {
            let codec = self.call.codec_of(value)?;
            return Some(Source::OfAlias(value.clone(), codec, Box::new(self.call.clone())));
        }
        if !value.is_error() {
            return Some(Source::Payload(value.clone(), codec));
        }
        match self.memory? {
            ErrorMemory::Wire => {
                let function = value.payload().get(..FINGERPRINT)?;
                let is_own = function == self.call.callsite.fingerprint();
                is_own.then(|| Source::ErrorPayload(value.clone(), codec))
            }
            ErrorMemory::Local => {
                let errors = self.call.cache.errors();
                errors.get(value.token(), self.call.callsite).map(Source::Error)
            }
        }
    }

    /// Whether a value that another function keeps longer than it is fresh is still fresh.
    pub(super) async fn is_fresh(&self, value: &Value) -> bool {
        self.call.is_fresh(value, self.budget).await.unwrap_or(false)
    }

    /// How the call ends, if what was seen is its result as it is.
    pub(in crate::read) fn hit(
        &self,
        seen: &Result<Value, Missing>,
        freshness: Freshness,
    ) -> Option<Ending> {
        let value = seen.as_ref().ok()?;
        let is_hit = freshness == Freshness::Fresh && self.reads();
        is_hit.then(|| Ending::served(OutcomeKind::Hit, value.cost_ms()))
    }
}
