//! Many items get into one partition, in their order.
//!
//! They are sent in pieces, each in one call and each only when all before it are stored. The items
//! of a piece have one stamp: if the partition is ahead of it, it is ahead for all of them, so that
//! no later item is taken before an earlier one. If there is no room for all, those are taken that
//! come first.

use tokio::time::{Instant, sleep};

use crate::queue::failure::{Failure, Missed, is_forbidden};
use crate::queue::layout::Spot;
use crate::queue::partitions::Log;
use crate::queue::push::batcher::{BYTES, ITEMS};
use crate::queue::push::clock;
use crate::queue::push::producer::{Others, Ticket};
use crate::queue::push::retry::{ATTEMPT, PAUSES, observed};
use crate::queue::shared::Lot;
use crate::store::queue::{Added, Addition, PushTime};
use crate::store::{StoreError, StoreResult};
use crate::support::random::random_fraction;

/// An item to be stored.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue) struct Sending<'a> {
    pub(in crate::queue) key: &'a str,
    pub(in crate::queue) payload: &'a [u8],
}

/// What became of an item; `Ok`: it is there.
pub(in crate::queue) type Outcome = Result<(), Failure>;

/// A piece on its way.
struct Piece<'a> {
    items: &'a [Sending<'a>],
    tickets: Vec<Ticket<'a>>,
    /// Of the latest attempt: each has a microsecond more than the one before.
    stamp: PushTime,
    /// Of each, once that is known.
    outcomes: Vec<Option<Outcome>>,
    /// Which are there, if not on enough replicas.
    stored: Vec<bool>,
    /// Why it is not known of how many replicas have them.
    untold: Option<StoreError>,
    /// An attempt was not answered: all that it sent may be there.
    doubt: Option<StoreError>,
}

impl Log {
    /// Appends items in their order, and waits for room. Once one cannot be stored, those behind it
    /// are not tried.
    pub(in crate::queue) async fn append_many(
        &self,
        spot: Spot,
        items: &[Sending<'_>],
    ) -> Vec<Outcome> {
        let (mut outcomes, mut rest) = (Vec::with_capacity(items.len()), items);
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(length_of_piece(rest));
            rest = behind;
            outcomes.extend(self.append_piece(spot, piece).await);
            if let Some(Err(failure)) = outcomes.last() {
                let failure = failure.of_those_behind();
                outcomes.extend(rest.iter().map(|_| Err(failure.of_those_behind())));
                break;
            }
        }
        outcomes
    }

    async fn append_piece(&self, spot: Spot, items: &[Sending<'_>]) -> Vec<Outcome> {
        let lot = &*self.shared.lot(spot.partition);
        let mut piece = Piece::new(lot, items);
        let failure = self.attempt_piece(lot, spot, &mut piece).await;
        piece.end(failure.as_ref())
    }

    /// As many attempts as there is time for, which begins anew with each that stores something.
    /// What it means for those that have no outcome yet, if they are not there; none: all have one.
    async fn attempt_piece(&self, lot: &Lot, spot: Spot, piece: &mut Piece<'_>) -> Option<Failure> {
        let options = &self.shared.site.options;
        let mut until = Instant::now() + options.push_timeout;
        let (mut pause, longest_pause) = PAUSES;
        let mut was_full = false;
        loop {
            let is_late = Instant::now() >= until;
            if is_late && was_full {
                return Some(Failure::Full);
            }
            let open = piece.open();
            let first = piece.tickets.get(*open.first()?)?;
            let first_key = piece.items.first().map_or("", |item| item.key);
            let Others { oldest, given_up } = first.others();
            let addition = |at: &usize| {
                let (item, ticket) = piece.items.get(*at).zip(piece.tickets.get(*at))?;
                Some(Addition {
                    producer: &lot.producer_key,
                    number: ticket.number,
                    epoch: spot.epoch,
                    oldest,
                    longest: options.max_len.map(|max| max.div_ceil(spot.spread.into())),
                    stamp: piece.stamp,
                    // As for a single item.
                    window_us: u64::try_from(options.push_timeout.as_micros() / 2)
                        .unwrap_or(u64::MAX),
                    given_up: &given_up,
                    key: item.key,
                    payload: item.payload,
                })
            };
            let additions: Vec<_> = open.iter().filter_map(addition).collect();
            was_full = false;
            match self.send_piece(lot, spot.partition, &additions, until).await {
                Ok((added, have)) => {
                    let has_enough = have.as_ref().is_ok_and(|have| *have >= options.replicas);
                    let (mut ahead, mut has_moved) = (None, false);
                    for (at, added) in open.iter().zip(added) {
                        match observed(added) {
                            Added::New(_) | Added::Known if has_enough => {
                                piece.end_one(*at, Ok(()));
                            }
                            Added::New(_) | Added::Known => piece.note(*at),
                            Added::Behind(us) => ahead = Some(us),
                            Added::Full => was_full = true,
                            Added::Moved => has_moved = true,
                            // The ticket is held, so no other push can have said so.
                            Added::Late => {
                                piece.end_one(*at, Err(Failure::in_doubt(StoreError::Unexpected)));
                            }
                        }
                    }
                    if let Err(error) = have
                        && is_forbidden(&error)
                    {
                        piece.untold = Some(error);
                        return Some(Failure::Full);
                    }
                    if has_moved {
                        match self.relocate(spot, first_key).await {
                            // It had lost its layout, so a former attempt may still get there.
                            Ok(found) if found.epoch == spot.epoch => {}
                            Ok(_) => {
                                piece.doubt = None;
                                return Some(Failure::Moved);
                            }
                            Err(failure) => return Some(failure),
                        }
                    }
                    if let Some(us) = ahead {
                        clock::observe(us);
                        // From now on, as if they had just been pushed.
                        piece.stamp = clock::now_for(piece.items.len());
                        until = Instant::now() + options.push_timeout;
                        continue;
                    }
                    if piece.open().len() < open.len() {
                        until = Instant::now() + options.push_timeout;
                        pause = PAUSES.0;
                        continue;
                    }
                    if is_late {
                        return Some(Failure::Full);
                    }
                }
                Err(error) => match self.unanswered(error, piece.is_certain()) {
                    Ok(Some(doubt)) => {
                        piece.doubt.get_or_insert(doubt);
                    }
                    Ok(None) => {}
                    Err(failure) => return Some(failure),
                },
            }
            if is_late {
                return Some(Failure::unavailable(StoreError::Down));
            }
            let rest = until.saturating_duration_since(Instant::now());
            sleep(pause.mul_f64(0.5 + random_fraction() / 2.0).min(rest)).await;
            pause = (pause * 2).min(longest_pause);
        }
    }

    /// One attempt: what became of each, and how many replicas have them.
    async fn send_piece(
        &self,
        lot: &Lot,
        partition: u32,
        additions: &[Addition<'_>],
        until: Instant,
    ) -> StoreResult<(Vec<Added>, StoreResult<u32>)> {
        let now = Instant::now();
        let by = (now + ATTEMPT).min(until.max(now + ATTEMPT / 10));
        let replicas = self.shared.site.options.replicas;
        match self.redis() {
            Some(redis) if replicas > 0 => self.send_replicated(redis, lot, additions, by).await,
            Some(redis) => redis.push(&lot.lane, additions, by).await.map(|added| (added, Ok(0))),
            None => {
                let (mut all, mut have) = (Vec::with_capacity(additions.len()), Ok(replicas));
                for addition in additions {
                    // As in one call: there may be room meanwhile, but not for what comes behind.
                    if let Some(refused @ (Added::Full | Added::Moved | Added::Behind(_))) =
                        all.last().copied()
                    {
                        all.push(refused);
                        continue;
                    }
                    let pushed = if replicas > 0 {
                        self.push_replicated(lot, partition, *addition, by).await
                    } else {
                        self.push(partition, *addition, by).await.map(|added| (added, Ok(0)))
                    };
                    match pushed {
                        Ok((added, more)) => {
                            all.push(added);
                            have = have.and_then(|least: u32| more.map(|more| least.min(more)));
                        }
                        Err(error) if all.is_empty() => return Err(error),
                        Err(_) => return Err(StoreError::Lost),
                    }
                }
                Ok((all, have))
            }
        }
    }
}

impl<'a> Piece<'a> {
    fn new(lot: &'a Lot, items: &'a [Sending<'a>]) -> Self {
        Self {
            items,
            tickets: items.iter().map(|_| lot.producer.ticket()).collect(),
            stamp: clock::now_for(items.len()),
            outcomes: items.iter().map(|_| None).collect(),
            stored: vec![false; items.len()],
            untold: None,
            doubt: None,
        }
    }

    /// The places of those that have no outcome yet.
    fn open(&self) -> Vec<usize> {
        let open = self.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_none());
        open.map(|(at, _)| at).collect()
    }

    /// No attempt has left anything that is open.
    fn is_certain(&self) -> bool {
        self.doubt.is_none() && !self.stored.contains(&true)
    }

    fn end_one(&mut self, at: usize, outcome: Outcome) {
        if let Some(place) = self.outcomes.get_mut(at) {
            *place = Some(outcome);
        }
    }

    /// It is there, on too few replicas so far.
    fn note(&mut self, at: usize) {
        if let Some(place) = self.stored.get_mut(at) {
            *place = true;
        }
    }

    /// What became of each; `failure` of those that are not there.
    fn end(self, failure: Option<&Failure>) -> Vec<Outcome> {
        let Self { tickets, outcomes, stored, untold, doubt, .. } = self;
        let failed = |is_stored: bool| match (&doubt, failure) {
            _ if is_stored => Failure::Unreplicated(untold.clone()),
            (Some(error), _) => Failure::in_doubt(error.clone()),
            (None, Some(failure)) => failure.of_those_behind(),
            (None, None) => Failure::in_doubt(StoreError::Unexpected),
        };
        let outcomes = outcomes.into_iter().zip(stored);
        let outcomes: Vec<Outcome> = outcomes
            .map(|(outcome, is_stored)| outcome.unwrap_or_else(|| Err(failed(is_stored))))
            .collect();
        for (ticket, outcome) in tickets.into_iter().zip(&outcomes) {
            if !matches!(outcome, Err(Failure::Missed(Missed { in_doubt: true, .. }))) {
                ticket.settle();
            }
        }
        outcomes
    }
}

impl Failure {
    /// What it is for items that were not sent because of it: they certainly are not there.
    fn of_those_behind(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Moved => Self::Moved,
            Self::Unreplicated(_) | Self::Untried => Self::Untried,
            Self::Missed(Missed { error, .. }) => Self::unavailable(error.clone()),
        }
    }
}

/// How many items go in one call: at least one.
fn length_of_piece(items: &[Sending<'_>]) -> usize {
    let mut bytes = 0;
    let fits = |item: &&Sending<'_>| {
        bytes += item.payload.len();
        bytes <= BYTES
    };
    items.iter().take(ITEMS).take_while(fits).count().max(1)
}
