//! What the holder of a lease does with it, and scripts that answer yes or no.

use crate::metrics::StoreOperation;
use crate::store::redis::commands::Command;
use crate::store::redis::commands::encode::millis;
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::{Arg, Call, Script, script};
use crate::store::{Keyed, Release, Renew, StoreResult};
use crate::support::budget::Deadline;

static RELEASE: Script = script!("prelude", "value", "release");
static RENEW: Script = script!("prelude", "value", "renew");

fn release<'a>(request: &'a Keyed<'_, Release>) -> Call<'a> {
    let args = vec![Arg::Bytes(request.request.token.as_bytes())];
    Call { script: &RELEASE, key: request.name.text, args }
}

impl Command for Release {
    const OPERATION: StoreOperation = StoreOperation::Release;

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let calls: Vec<_> = requests.iter().map(release).collect();
        session.decide_all(&calls, pieces).await
    }
}

fn renew<'a>(request: &'a Keyed<'_, Renew>) -> Call<'a> {
    let Renew { token, lease } = &request.request;
    let args = vec![Arg::Bytes(token.as_bytes()), Arg::Millis(millis(*lease))];
    Call { script: &RENEW, key: request.name.text, args }
}

impl Command for Renew {
    const OPERATION: StoreOperation = StoreOperation::Renew;

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let calls: Vec<_> = requests.iter().map(renew).collect();
        session.decide_all(&calls, pieces).await
    }
}

impl Session<'_> {
    /// Runs a script that answers yes or no.
    pub(super) async fn decide(&mut self, call: &Call<'_>, by: Deadline) -> StoreResult<bool> {
        let reply = self.eval(call, by).await?;
        self.decided(&reply)
    }

    /// The same on many keys.
    pub(super) async fn decide_all(
        &mut self,
        calls: &[Call<'_>],
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        let replies = self.eval_in_pieces(calls, pieces).await;
        replies.into_iter().map(|reply| self.decided(&reply?)).collect()
    }

    fn decided(&self, reply: &RespValue) -> StoreResult<bool> {
        match reply {
            RespValue::Int(0) => Ok(false),
            RespValue::Int(1) => Ok(true),
            _ => Err(self.out_of_order()),
        }
    }
}
