//! The stamps of tags.

use std::time::Duration;

use redis::Value;

use crate::record;
use crate::record::token::Token;
use crate::store::redis::commands::encode::{millis, trusted};
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::connection::session::Session;
use crate::store::redis::script::{self, Arg, Call};
use crate::store::{Name, Stamped, StoreResult, kept};

impl Session<'_> {
    /// The stamps of some tags, which are made where there are none. One result for each name.
    pub(in crate::store) async fn stamp(
        &mut self,
        names: &[Name<'_>],
        need: Duration,
        pieces: Pieces,
    ) -> Vec<StoreResult<Stamped>> {
        // Created here, for this one command: if the same stamp were sent again after it may have been executed, it
        // could come back after an invalidation had removed it.
        let fresh = |name: &Name<'_>| {
            let mut record = record::stamp(name.hash, Token::random());
            record::set_origin(&mut record, self.origin());
            record
        };
        let records: Vec<_> = names.iter().map(fresh).collect();
        let origin = self.insists_on();
        let (need, kept) = (Arg::Millis(millis(need)), Arg::Millis(millis(kept(need))));
        let calls: Vec<_> = names
            .iter()
            .zip(&records)
            .map(|(name, record)| Call {
                script: &script::STAMP,
                key: name.text,
                args: vec![
                    Arg::Bytes(record),
                    need.clone(),
                    kept.clone(),
                    trusted(origin.as_ref()),
                ],
            })
            .collect();
        let replies = self.eval_in_pieces(&calls, pieces).await;
        replies.into_iter().map(|reply| self.stamped(&reply?)).collect()
    }

    fn stamped(&self, reply: &Value) -> StoreResult<Stamped> {
        match reply {
            Value::BulkString(text) if text == b"F" => Ok(Stamped::Fenced),
            Value::BulkString(text) if text == b"X" => Ok(Stamped::Foreign),
            Value::BulkString(token) => match token.as_slice().try_into() {
                Ok(token) => Ok(Stamped::Stamp(Token::from_bytes(token))),
                Err(_) => Err(self.out_of_order()),
            },
            _ => Err(self.out_of_order()),
        }
    }
}
