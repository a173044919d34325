//! Items of one push that go to their partition in one call, and what became of each.

use crate::queue::failure::{Failure, Missed};
use crate::queue::push::clock;
use crate::queue::push::group::{BYTES, ITEMS};
use crate::queue::push::producer::Ticket;
use crate::queue::shared::PartitionProducer;
use crate::store::StoreError;
use crate::store::queue::PushTime;

/// An item to be stored.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue) struct Sending<'a> {
    pub(in crate::queue) key: &'a str,
    pub(in crate::queue) payload: &'a [u8],
}

/// What became of an item; `Ok`: it is there.
pub(in crate::queue) type Outcome = Result<(), Failure>;

/// A piece on its way.
pub(super) struct Piece<'a> {
    pub(super) items: &'a [Sending<'a>],
    pub(super) tickets: Vec<Ticket<'a>>,
    /// Of the latest attempt: each has a microsecond more than the one before.
    pub(super) stamp: PushTime,
    /// Of each, once that is known.
    outcomes: Vec<Option<Outcome>>,
    /// Which are there, if not on enough replicas.
    stored: Vec<bool>,
    /// Why it is not known of how many replicas have them.
    pub(super) untold: Option<StoreError>,
    /// An attempt was not answered: all that it sent may be there.
    pub(super) doubt: Option<StoreError>,
}

impl<'a> Piece<'a> {
    /// How many items go in one call: at least one.
    pub(super) fn length(items: &[Sending<'_>]) -> usize {
        let mut bytes = 0;
        let fits = |item: &&Sending<'_>| {
            bytes += item.payload.len();
            bytes <= BYTES
        };
        items.iter().take(ITEMS).take_while(fits).count().max(1)
    }

    pub(super) fn new(producer: &'a PartitionProducer, items: &'a [Sending<'a>]) -> Self {
        Self {
            items,
            tickets: items.iter().map(|_| producer.numbers.ticket()).collect(),
            stamp: clock::now_for(items.len()),
            outcomes: items.iter().map(|_| None).collect(),
            stored: vec![false; items.len()],
            untold: None,
            doubt: None,
        }
    }

    /// The places of those that have no outcome yet.
    pub(super) fn open(&self) -> Vec<usize> {
        let open = self.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_none());
        open.map(|(at, _)| at).collect()
    }

    /// No attempt has left anything that is open.
    pub(super) fn is_certain(&self) -> bool {
        self.doubt.is_none() && !self.stored.contains(&true)
    }

    pub(super) fn end_one(&mut self, at: usize, outcome: Outcome) {
        if let Some(place) = self.outcomes.get_mut(at) {
            *place = Some(outcome);
        }
    }

    /// It is there, on too few replicas so far.
    pub(super) fn note(&mut self, at: usize) {
        if let Some(place) = self.stored.get_mut(at) {
            *place = true;
        }
    }

    /// What became of each; `failure` of those that are not there.
    pub(super) fn end(self, failure: Option<&Failure>) -> Vec<Outcome> {
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
    pub(super) fn of_those_behind(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Moved => Self::Moved,
            Self::Unreplicated(_) | Self::Untried => Self::Untried,
            Self::Missed(Missed { error, .. }) => Self::unavailable(error.clone()),
        }
    }
}
