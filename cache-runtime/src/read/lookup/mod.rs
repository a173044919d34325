//! The first stage of a call: finds a value, or decides how to run the body.
//!
//! A search is a loop over [`Step`]s. Each step does one thing (looks, waits, asks for a lease) and
//! says what comes next. The age of values is a [policy](AgePolicy) of the one search: a function
//! that ignores it sees only fresh and expired values.

mod acquire;
mod alias;
mod elsewhere;
mod look;
mod outcome;
mod refresh;
mod replace;
mod wait;

use tokio::sync::oneshot;
use tokio::time::Instant;

use self::elsewhere::Learned;
pub(super) use self::outcome::LookupOutcome;
use crate::engine::Mode;
use crate::engine::background::RefreshClaim;
use crate::engine::flight::{FlightRequest, Leader, Mark, Role, Verdict};
use crate::metrics::{MissReason, OutcomeKind};
use crate::read::alias::look::SeenEntity;
use crate::read::call::ReadCall;
use crate::read::freshness::{AgePolicy, Freshness};
use crate::read::interpret::Missing;
use crate::read::lease::Lease;
use crate::read::restore::RestoreChannel;
use crate::read::steps::ErrorMemory;
use crate::record::Value;
use crate::record::token::Token;
use crate::support::budget::Budget;

/// A refresh that is to be done in the background.
pub(super) struct Refresh {
    pub(super) seen: Value,
    pub(super) claim: RefreshClaim,
    /// The lead of the callers that wait for the load, if there may be any.
    pub(super) leader: Option<Leader>,
}

/// What a search does next.
pub(super) enum Step {
    /// Look into the store, for the waiters as well if the call leads a flight.
    Look(Option<Leader>),
    /// Decide about what a look has found. The mark is that of the look.
    Decide(Option<(Leader, Mark)>, Result<Value, Missing>, Freshness),
    /// Wait for the load of another call. `true` if the result of this call is a stale value
    /// already.
    Wait(oneshot::Receiver<Verdict>, bool),
    /// Ask for the lease, for the waiters as well if the call leads a flight.
    Acquire(Option<Leader>),
    Done(LookupOutcome),
}

/// Whether a search has found nothing, which is counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MissState {
    None,
    /// The value was not asked for, only the lease, whose answer says whether the call is a hit.
    Unasked,
    Counted(MissReason),
}

/// A call's search for a value.
pub(super) struct Lookup<'a> {
    pub(super) call: ReadCall,
    mode: Mode,
    pub(super) age: AgePolicy,
    pub(super) budget: Budget,
    /// The token of a value that was found and cannot be used: the lease may replace it.
    reject: Option<Token>,
    /// What the latest look has found in the key of the entity, if the call's key is an alias.
    seen_entity: SeenEntity,
    misses: MissState,
    /// The load that it waits for was begun by this call, in the background.
    pub(super) owns_load: bool,
    /// How errors of the function are remembered, if they are.
    memory: Option<ErrorMemory>,
    /// It is a load by hand, of no function.
    by_hand: bool,
    /// Where it has values restored. None as long as it is no search, but a single look.
    channel: Option<RestoreChannel>,
    /// How often the value named tags whose stamps had not been read.
    looked_again: u8,
    /// What the batch asks for that this is one id of. One more `GET` costs a batch no round trip.
    batch: Option<&'a (dyn Fn() -> FlightRequest + Send + Sync)>,
}

impl From<LookupOutcome> for Step {
    fn from(outcome: LookupOutcome) -> Self {
        Self::Done(outcome)
    }
}

impl<'a> Lookup<'a> {
    pub(super) fn new(
        call: ReadCall,
        mode: Mode,
        age: AgePolicy,
        memory: Option<ErrorMemory>,
        by_hand: bool,
        begun: Instant,
    ) -> Self {
        let budget = call.callsite.policy().budget.unwrap_or(call.cache.settings().budget);
        // An alias has no age of its own.
        let age = if call.is_alias() { AgePolicy::Ignored } else { age };
        Self {
            call,
            mode,
            age,
            budget: Budget::since(begun, budget),
            reject: None,
            seen_entity: SeenEntity::default(),
            misses: MissState::None,
            owns_load: false,
            memory,
            by_hand,
            channel: None,
            looked_again: 0,
            batch: None,
        }
    }

    /// The lookup of one id of a batch, whose `GET`s are one command. `batch` returns what all of
    /// it asks for.
    pub(super) fn of_many(self, batch: &'a (dyn Fn() -> FlightRequest + Send + Sync)) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// Opens the channel by which the search has values restored; its poller gets the other end.
    pub(super) fn open_channel(&mut self) -> RestoreChannel {
        self.channel.insert(RestoreChannel::default()).clone()
    }

    /// The first step of a search, if it needs no look into the store.
    pub(super) fn begin(&mut self) -> Option<Step> {
        if let Some(waiting) = self.join() {
            return Some(Step::Wait(waiting, false));
        }
        if self.call.is_outdated() {
            return Some(Step::Decide(None, Err(Missing::outdated()), Freshness::Expired));
        }
        if self.spares_get() {
            // Saves a command where calls rarely hit, such as while a cache fills.
            self.misses = MissState::Unasked;
            let unknown = Missing::Nothing(MissReason::Absent, None);
            return Some(Step::Decide(None, Err(unknown), Freshness::Expired));
        }
        None
    }

    /// Searches until there is an outcome. A step that asks the store is boxed by itself, so that
    /// little is allocated where the store is of no use.
    pub(super) async fn search(&mut self, mut step: Step) -> LookupOutcome {
        loop {
            step = match step {
                Step::Done(outcome) => {
                    self.note_uncached(&outcome);
                    return outcome;
                }
                Step::Look(leader) => Box::pin(self.look(leader)).await,
                Step::Wait(waiting, has_stale) => Box::pin(self.wait(waiting, has_stale)).await,
                Step::Decide(lead, Ok(value), freshness) => {
                    Box::pin(self.decide(lead, value, freshness)).await
                }
                Step::Decide(lead, Err(missing), _) => self.miss(lead, missing),
                Step::Acquire(leader) => Box::pin(self.acquire(leader)).await,
            };
        }
    }

    /// A value was found: decides according to its age.
    async fn decide(
        &mut self,
        lead: Option<(Leader, Mark)>,
        value: Value,
        freshness: Freshness,
    ) -> Step {
        if self.mode == Mode::Refresh {
            return self.replace(value.token()).await.into();
        }
        match freshness {
            Freshness::Unknown if self.is_fresh(&value).await => {
                LookupOutcome::served(OutcomeKind::Hit, &value).into()
            }
            Freshness::Unknown | Freshness::Expired => {
                let expired = self.discard(&value, MissReason::Expired);
                Step::Decide(lead, Err(expired), freshness)
            }
            Freshness::StaleIfError => self.load_or_serve_stale(lead, value).await,
            Freshness::Fresh | Freshness::RefreshEarly | Freshness::StaleWhileRevalidate => {
                self.serve(lead, value, freshness).await
            }
        }
    }

    /// Nothing usable was found: joins a flight, or leads one and asks for the lease.
    pub(super) fn miss(&mut self, lead: Option<(Leader, Mark)>, missing: Missing) -> Step {
        let leader = lead.map(|(leader, _)| leader);
        let missing = match missing {
            Missing::OtherTags(texts) => match self.learn_tags(texts) {
                Learned::Tags => return Step::Look(leader),
                // If the call leads a flight, a waiter takes over.
                Learned::Own => return LookupOutcome::alone(OutcomeKind::Bypassed).into(),
                Learned::Nothing => Missing::fenced(MissReason::Tag),
            },
            missing => missing,
        };
        let (why, reason) = match missing {
            Missing::Blocked(why, reason) => (Some(why), reason),
            Missing::Nothing(reason, _) => (None, Some(reason)),
            _ => {
                // If the call leads a flight, a waiter takes over, who finds the same.
                drop(leader);
                return self.step_aside();
            }
        };
        if let Some(reason) = reason.filter(|_| self.misses == MissState::None) {
            self.missed(reason);
        }
        let leader = match leader {
            // A refresh waits for no load that may have begun before it.
            None if self.mode == Mode::Refresh => None,
            None => match self.enter() {
                Role::Wait(waiting) => return Step::Wait(waiting, false),
                Role::Lead(leader) => Some(leader),
            },
            leader => leader,
        };
        match why {
            Some(why) => LookupOutcome::unstored(leader, why).into(),
            None => Step::Acquire(leader),
        }
    }

    /// Joins the flight of the entry if there is one. A refresh joins none.
    pub(super) fn join(&self) -> Option<oneshot::Receiver<Verdict>> {
        let name = self.call.name();
        self.reads().then(|| self.call.cache.flights().join(name, || self.asked())).flatten()
    }

    /// Joins the flight of the entry, or leads a new one.
    fn enter(&self) -> Role {
        self.call.cache.flights().enter(self.call.name(), self.asked())
    }

    /// What the call asks for: it is given no error of a call that asked for anything else.
    fn asked(&self) -> FlightRequest {
        if self.by_hand {
            return FlightRequest::by_hand();
        }
        self.batch.map_or_else(|| FlightRequest::one(self.call.callsite), |batch| batch())
    }

    /// Whether a value that is there may be the result, which it may not for a refresh.
    fn reads(&self) -> bool {
        self.mode == Mode::Through
    }

    /// Whether the lease is asked for at once, without a look before.
    fn spares_get(&self) -> bool {
        self.reads()
            && self.age == AgePolicy::Ignored
            && self.batch.is_none()
            && !self.call.is_alias()
            && self.call.cache.recorder().is_dry(self.call.callsite)
    }

    fn lease(&self, leader: Option<Leader>) -> Box<Lease> {
        Box::new(Lease::new(&self.call, self.budget, leader))
    }
}
