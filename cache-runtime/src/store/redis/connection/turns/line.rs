//! The line of those that wait for their turn, and what readers share in it.
//!
//! A reader may take the reply to another one if that one had not sent its command when the first
//! one came: the reply then reflects everything that was acknowledged before. So those who are
//! about to send the same command, which changes nothing, share a place for as long as the place is
//! in line, and not a moment longer. The first of them who is still there sends it for all.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::store::redis::connection::turns::Granted;
use crate::store::redis::connection::wire::RespValue;
use crate::store::{StoreError, StoreResult};

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Line {
    places: VecDeque<Place>,
    /// Those whose place is a [`Place::Read`].
    readers: HashMap<Read, Others>,
    /// How often it has become empty.
    round: u64,
    /// The latest round in which somebody's turn has not come in time.
    too_long: Option<u64>,
}

/// The number of a connection, and the words of a command that only reads.
type Read = (u64, Arc<[u8]>);

/// A place in line.
#[derive(Debug)]
enum Place {
    Call(Sender<Granted>),
    Read(Read),
}

/// What readers wait for.
#[derive(Debug)]
pub(super) enum News {
    /// It is their turn to send the command, for the others as well.
    Go(Granted, Others),
    /// The reply to the one whose turn it was.
    Told(StoreResult<RespValue>),
}

/// Those who wait for the reply to one of them. If that one goes without a word, they are on their
/// own.
#[derive(Debug, Default)]
pub(in crate::store) struct Others(VecDeque<Sender<News>>);

/// Whoever is the first in line.
#[derive(Debug)]
pub(super) enum First {
    Caller(Sender<Granted>),
    Readers(Others),
}

impl Line {
    /// How often the line has become empty so far.
    pub(super) fn round(&self) -> u64 {
        self.round
    }

    /// Adds a place.
    pub(super) fn queue(&mut self) -> Receiver<Granted> {
        let (call, called) = oneshot::channel();
        self.places.push_back(Place::Call(call));
        called
    }

    /// Joins those who send the same command, if any are in line.
    pub(super) fn join(&mut self, epoch: u64, words: &[u8]) -> Option<Receiver<News>> {
        let Others(readers) = self.readers.get_mut(&(epoch, words.into()))?;
        let (tell, told) = oneshot::channel();
        readers.push_back(tell);
        Some(told)
    }

    /// Adds a place for those who send the same command, none of whom is in line.
    pub(super) fn queue_to_read(&mut self, epoch: u64, words: &[u8]) -> Receiver<News> {
        let (tell, told) = oneshot::channel();
        let read = (epoch, Arc::from(words));
        self.readers.insert(read.clone(), Others(VecDeque::from([tell])));
        self.places.push_back(Place::Read(read));
        told
    }

    /// Takes the first place, from which moment on nobody joins those who are there. Also returns
    /// whether the line, which was too long, is empty now.
    pub(super) fn first(&mut self) -> (Option<First>, bool) {
        let first = self.places.pop_front().map(|place| match place {
            Place::Call(call) => First::Caller(call),
            Place::Read(read) => First::Readers(self.readers.remove(&read).unwrap_or_default()),
        });
        let is_over = self.places.is_empty() && self.too_long == Some(self.round);
        self.round += u64::from(self.places.is_empty());
        (first, is_over)
    }

    /// Notes that the turn of somebody has not come in time who came in this round. Returns whether
    /// that is news, and whether the round is over by now.
    pub(super) fn turn_away(&mut self, round: u64) -> (bool, bool) {
        let is_news = self.too_long.is_none_or(|told| told < round);
        if is_news {
            self.too_long = Some(round);
        }
        (is_news, round < self.round)
    }
}

impl First {
    /// Gives the turn to whoever is there, or back if nobody is.
    pub(super) fn call(self, granted: Granted) -> Result<(), Granted> {
        match self {
            Self::Caller(call) => call.send(granted),
            Self::Readers(Others(mut waiting)) => {
                let mut granted = granted;
                while let Some(next) = waiting.pop_front() {
                    let Err(News::Go(unclaimed, others)) =
                        next.send(News::Go(granted, Others(waiting)))
                    else {
                        return Ok(());
                    };
                    (granted, waiting) = (unclaimed, others.0);
                }
                Err(granted)
            }
        }
    }
}

impl Others {
    /// Tells them the reply. If there was none in time, they may have more time than the one who
    /// sent the command: they are on their own.
    pub(in crate::store) fn tell(self, reply: &StoreResult<RespValue>) {
        if matches!(reply, Err(StoreError::TimedOut)) {
            return;
        }
        for other in self.0 {
            // One who has gone needs nothing.
            _ = other.send(News::Told(reply.clone()));
        }
    }
}
