//! Operations on many keys, which are sent in pieces.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::redis::connection::multiplexer::Pack;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::turns::{Turn, Turns};
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::Call;
use crate::store::{PIECE, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// Bytes of keys and values in one piece, if it is not a single value: as many as a link of 1
/// Gbit/s takes in 10 ms.
pub(in crate::store) const BYTES: usize = 1 << 20;

/// A piece of so many keys waits for its turn among pieces.
const LARGE: usize = PIECE / 4;

/// Cuts items into pieces. `size` is how many bytes an item has.
pub(in crate::store) fn cut<T>(
    items: &[T],
    size: impl Fn(&T) -> usize,
) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(PIECE).take_while(|item| {
            let is_first = bytes == 0;
            bytes += size(item).max(1);
            is_first || bytes <= BYTES
        });
        let (piece, others) = rest.split_at_checked(fits.count())?;
        rest = others;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The deadlines of an operation that is sent in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieces {
    /// That of the first one.
    by: Deadline,
    /// How long each of the others may take.
    span: Duration,
    /// Nothing but the first is sent after that.
    until: Option<Deadline>,
}

impl Pieces {
    /// Of an operation that begins now.
    pub(in crate::store) fn new(by: Deadline) -> Self {
        Self { by, span: by.saturating_duration_since(Instant::now()), until: None }
    }

    /// The same, but only the first is sent when so much time has passed.
    pub(in crate::store) fn within(self, time: Duration) -> Self {
        Self { until: Instant::now().checked_add(time), ..self }
    }

    /// That of a piece that is sent now; none if there is no time left for it.
    pub(in crate::store) fn deadline(&self, number: usize) -> Option<Deadline> {
        let now = Instant::now();
        if number > 0 && self.until.is_some_and(|until| until <= now) {
            return None;
        }
        // Before the first one, the connection may have been waited for. That is part of its time,
        // unless it is sent again, to another node.
        Some(if number == 0 && now < self.by { self.by } else { now + self.span })
    }
}

/// The turn of a piece of so many keys among all pieces; none if it is a small one.
pub(in crate::store) async fn turn(
    pieces: &Arc<Turns>,
    keys: usize,
    by: Deadline,
) -> StoreResult<Option<Turn<'_>>> {
    if keys < LARGE {
        return Ok(None);
    }
    pieces.wait(by).await.map(Some)
}

impl Session<'_> {
    /// Runs one script on many keys. Nothing more is sent once a piece has not been answered, or
    /// has no time left.
    pub(in crate::store) async fn eval_in_pieces(
        &mut self,
        calls: &[Call<'_>],
        pieces: Pieces,
    ) -> Vec<StoreResult<RespValue>> {
        let mut results = Vec::with_capacity(calls.len());
        if let Err(refusal) = self.require_scripts() {
            results.resize(calls.len(), Err(refusal));
            return results;
        }
        for (number, piece) in cut(calls, Call::size).enumerate() {
            let replies = match pieces.deadline(number) {
                Some(deadline) => self.eval_piece(piece, deadline).await,
                None => Err(StoreError::TimedOut),
            };
            match replies {
                Ok(replies) => results.extend(replies.into_iter().map(|reply| self.ran(reply?))),
                Err(error) => {
                    results.resize(calls.len(), Err(error));
                    break;
                }
            }
        }
        results
    }

    /// Sends the commands of one piece, when it is its turn.
    pub(in crate::store) async fn call_piece<P: Pack>(
        &mut self,
        commands: P,
        deadline: Deadline,
    ) -> StoreResult<P::Replies> {
        let pieces = self.pieces();
        let _turn = turn(&pieces, commands.count(), deadline).await?;
        self.call(commands, deadline).await
    }

    /// No error for all where some were executed.
    async fn eval_piece(
        &mut self,
        calls: &[Call<'_>],
        deadline: Deadline,
    ) -> StoreResult<Vec<StoreResult<RespValue>>> {
        if let [call] = calls {
            return Ok(vec![Ok(self.reply(call, deadline).await?)]);
        }
        let commands: Vec<_> = calls.iter().map(Call::by_sha).collect();
        let replies = self.call_piece(&commands[..], deadline).await?;

        let mut again = Vec::new();
        for (call, reply) in calls.iter().zip(&replies) {
            if is_error(reply, "NOSCRIPT") {
                // The first one loads the script into the server for all others.
                again.push(if again.is_empty() { call.by_body() } else { call.by_sha() });
            }
        }
        if again.is_empty() {
            return Ok(replies.into_iter().map(Ok).collect());
        }
        let mut late = self.call(&again[..], deadline).await.map(Vec::into_iter);
        let mut sent_again = || match &mut late {
            Ok(late) => late.next().ok_or(StoreError::Unexpected),
            Err(error) => Err(error.clone()),
        };
        let last = |reply| if is_error(&reply, "NOSCRIPT") { sent_again() } else { Ok(reply) };
        Ok(replies.into_iter().map(last).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_so_many_keys_and_so_many_bytes_or_one_value() {
        let sizes = |items: &[usize]| cut(items, |item| *item).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[0; 600]), [256, 256, 88]);
        assert_eq!(sizes(&[BYTES / 4; 6]), [4, 2]);
        assert_eq!(sizes(&[1, 50 * BYTES, 50 * BYTES, 1, 1]), [1, 1, 1, 2]);
        assert_eq!(sizes(&[usize::MAX / 2, usize::MAX / 2]), [1, 1]);
    }
}
