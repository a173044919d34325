//! Invalidations that are sent at once, and handed to the journal if they are not acknowledged.

use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Core;
use crate::engine::journal::Invalidation;
use crate::error::Error;
use crate::metrics::{Event, Observation};
use crate::policy::BY_HAND;
use crate::record::token::Token;
use crate::store::redis::Sweep;
use crate::store::{Invalidate, Keyed, MakeStale, Name, StoreResult};
use crate::support::budget::Budget;
use crate::support::trace::Trace;

/// How long an invalidation by pattern may take.
const PATTERN_LIMIT: Duration = Duration::from_secs(30);

/// An invalidation that is sent: it has a span, and how long it takes is measured.
#[derive(Debug)]
pub(crate) struct SentInvalidation {
    /// When the body of the write ended, if it is one of a write.
    begun: Instant,
    trace: Trace,
}

impl SentInvalidation {
    /// One of so many keys, which began at that time.
    pub(crate) fn of_keys(keys: usize, begun: Instant) -> Self {
        Self { begun, trace: Trace::invalidation("key", Some(keys)) }
    }

    /// Polls what sends it inside its span.
    pub(crate) fn around<F: Future>(&self, sends: Pin<&mut F>) -> impl Future<Output = F::Output> {
        self.trace.around(sends)
    }

    /// Tells the span what its metric is told.
    fn told(&self, is_acknowledged: bool) {
        self.trace.outcome(if is_acknowledged { "acknowledged" } else { "journalled" }, None);
    }
}

impl Core {
    /// Invalidates entries by their full keys; what is not acknowledged goes into the journal.
    pub(crate) async fn remove(&self, texts: &[String], hold_off: Duration) -> Result<(), Error> {
        self.announce();
        let Some(store) = self.store() else {
            return Ok(());
        };
        let begun = Instant::now();
        let names: Vec<_> = texts.iter().map(|text| Name::new(text)).collect();
        self.flights().forget(&names);
        let sent = SentInvalidation::of_keys(texts.len(), begun);
        let replies = self.invalidate_in_order(store, &names, Invalidate { hold_off });
        let replies = sent.around(pin!(replies)).await;
        self.settle(texts, replies, hold_off, &sent)
    }

    /// Invalidates entries by their full keys, and keeps values that may be served as stale ones.
    /// What is not acknowledged goes into the journal, as an invalidation that keeps nothing.
    pub(crate) async fn make_stale(&self, texts: &[String]) -> Result<(), Error> {
        self.announce();
        let Some(store) = self.store() else {
            return Ok(());
        };
        let begun = Instant::now();
        let names: Vec<_> = texts.iter().map(|text| Name::new(text)).collect();
        self.flights().forget(&names);
        let request = MakeStale { token: Token::random() };
        let requests = Keyed::each(&names, &request);
        let sent = SentInvalidation::of_keys(texts.len(), begun);
        let replies = sent.around(pin!(self.send_in_order(store, requests, request))).await;
        self.settle(texts, replies, Duration::ZERO, &sent)
    }

    /// Invalidates entries by a full glob, which goes into the journal if that is not acknowledged.
    pub(crate) async fn remove_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
    ) -> Result<u64, Error> {
        self.announce();
        let Some(store) = self.store() else {
            return Ok(0);
        };
        self.flights().forget_all();
        let begun = Instant::now();
        let by = Budget::new(PATTERN_LIMIT).deadline();
        let sweep = Sweep::default();
        let sent = SentInvalidation { begun, trace: Trace::invalidation("pattern", None) };
        let swept = async {
            self.before_sweep(store, pattern, Invalidate { hold_off }).await?;
            store.invalidate_matching(pattern, hold_off, &sweep, by).await
        };
        let reply = sent.around(pin!(swept)).await;
        sent.told(reply.is_ok());
        self.note(&reply, Event::PatternInvalidated, begun);
        let entry = [Invalidation::Pattern(pattern.to_owned())];
        match reply {
            Ok(_) => self.journal().acknowledged(entry),
            Err(_) => self.journal().add(entry, hold_off),
        }
        reply.map_err(|error| self.explained(error))
    }

    /// Puts what was not acknowledged into the journal, and returns the first error.
    pub(crate) fn settle<T>(
        &self,
        texts: &[String],
        replies: Vec<StoreResult<T>>,
        hold_off: Duration,
        sent: &SentInvalidation,
    ) -> Result<(), Error> {
        sent.told(replies.iter().all(Result::is_ok));
        for reply in &replies {
            self.note(reply, Event::Invalidated, sent.begun);
        }
        let (done, failed): (Vec<_>, Vec<_>) =
            texts.iter().zip(&replies).partition(|(_, reply)| reply.is_ok());
        let entry = |(text, _): (&String, _)| Invalidation::Key(text.clone());
        self.journal().acknowledged(done.into_iter().map(entry));
        self.journal().add(failed.into_iter().map(entry), hold_off);
        replies
            .into_iter()
            .try_for_each(|reply| reply.map(drop))
            .map_err(|error| self.explained(error))
    }

    fn note<T>(&self, reply: &StoreResult<T>, done: Event, begun: Instant) {
        let event = if reply.is_ok() { done } else { Event::Journalled };
        self.recorder().count(&BY_HAND, event);
        if let Some(observer) = &self.settings().observer {
            observer.send(Observation::Invalidated {
                is_pattern: done == Event::PatternInvalidated,
                is_acknowledged: reply.is_ok(),
            });
        }
        // What is in the journal is measured when it has been delivered.
        if reply.is_ok() {
            self.recorder().invalidated(begun.elapsed());
        }
    }
}
