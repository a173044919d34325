//! The stamps of tags.

use crate::metrics::StoreOperation;
use crate::record;
use crate::record::token::Token;
use crate::store::redis::commands::Command;
use crate::store::redis::commands::encode::{millis, trusted};
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::{Arg, Call, Script, script};
use crate::store::{CaptureStamp, Keyed, Stamped, StoreResult, kept};

static STAMP: Script = script!("prelude", "value", "stamp");

impl Command for CaptureStamp {
    const OPERATION: StoreOperation = StoreOperation::CaptureStamp;

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<Stamped>> {
        // Created here, for this one command: if the same stamp were sent again after it may have
        // been executed, it could come back after an invalidation had removed it.
        let fresh = |request: &Keyed<'_, Self>| {
            let mut record = record::stamp(request.name.hash, Token::random());
            record::set_origin(&mut record, session.origin());
            record
        };
        let records: Vec<_> = requests.iter().map(fresh).collect();
        let origin = session.insists_on();
        let calls: Vec<_> = requests
            .iter()
            .zip(&records)
            .map(|(Keyed { name, request }, record)| Call {
                script: &STAMP,
                key: name.text,
                args: vec![
                    Arg::Bytes(record),
                    Arg::Millis(millis(request.need)),
                    Arg::Millis(millis(kept(request.need))),
                    trusted(origin.as_ref()),
                ],
            })
            .collect();
        let replies = session.eval_in_pieces(&calls, pieces).await;
        replies.into_iter().map(|reply| session.stamped(&reply?)).collect()
    }
}

impl Session<'_> {
    fn stamped(&self, reply: &RespValue) -> StoreResult<Stamped> {
        match reply {
            RespValue::BulkString(text) if text[..] == b"F"[..] => Ok(Stamped::Fenced),
            RespValue::BulkString(text) if text[..] == b"X"[..] => Ok(Stamped::Foreign),
            RespValue::BulkString(token) => match token[..].try_into() {
                Ok(token) => Ok(Stamped::Stamp(Token::from_bytes(token))),
                Err(_) => Err(self.out_of_order()),
            },
            _ => Err(self.out_of_order()),
        }
    }
}
