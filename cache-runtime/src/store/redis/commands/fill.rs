//! Storing the value of a load: in the place of its lease, or of the value that it replaces.

use crate::metrics::StoreOperation;
use crate::record::{self, Origin};
use crate::store::redis::commands::Command;
use crate::store::redis::commands::encode::{millis, trusted};
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::connection::session::Session;
use crate::store::redis::script::{Arg, Call, Script, script};
use crate::store::{Fill, Keyed, Name, Refresh, StoreResult};
use crate::support::budget::Deadline;

static FILL: Script = script!("fill");
static REFRESH: Script = script!("prelude", "value", "refresh");

fn fill<'a>(request: &'a Keyed<'_, Fill>, origin: Option<&'a Origin>) -> Call<'a> {
    let Keyed { name, request: fill } = request;
    let (head, tail) = record::around_times(&fill.record);
    let args = vec![
        Arg::Bytes(head),
        Arg::Millis(millis(fill.ttl)),
        Arg::Millis(millis(fill.fresh)),
        trusted(origin),
        Arg::Bytes(tail),
    ];
    Call { script: &FILL, key: name.text, args }
}

impl Command for Fill {
    const OPERATION: StoreOperation = StoreOperation::Fill;

    async fn send(
        request: &mut Keyed<'_, Self>,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> StoreResult<bool> {
        session.sign(request.name, &mut request.request);
        let origin = session.insists_on();
        session.decide(&fill(request, origin.as_ref()), by).await
    }

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        for Keyed { name, request } in &mut *requests {
            session.sign(*name, request);
        }
        let origin = session.insists_on();
        let calls: Vec<_> = requests.iter().map(|it| fill(it, origin.as_ref())).collect();
        session.decide_all(&calls, pieces).await
    }
}

fn refresh<'a>(request: &'a Keyed<'_, Refresh>, origin: Option<&'a Origin>) -> Call<'a> {
    let Keyed { name, request: Refresh { seen, fill } } = request;
    let args = vec![
        Arg::Bytes(&fill.record),
        Arg::Millis(millis(fill.ttl)),
        Arg::Millis(millis(fill.fresh)),
        trusted(origin),
        Arg::Bytes(seen.as_bytes()),
    ];
    Call { script: &REFRESH, key: name.text, args }
}

impl Command for Refresh {
    const OPERATION: StoreOperation = StoreOperation::Refresh;

    async fn send(
        request: &mut Keyed<'_, Self>,
        session: &mut Session<'_>,
        by: Deadline,
    ) -> StoreResult<bool> {
        session.sign(request.name, &mut request.request.fill);
        let origin = session.insists_on();
        session.decide(&refresh(request, origin.as_ref()), by).await
    }

    async fn send_all(
        requests: &mut [Keyed<'_, Self>],
        session: &mut Session<'_>,
        pieces: Pieces,
    ) -> Vec<StoreResult<bool>> {
        for Keyed { name, request } in &mut *requests {
            session.sign(*name, &mut request.fill);
        }
        let origin = session.insists_on();
        let calls: Vec<_> = requests.iter().map(|it| refresh(it, origin.as_ref())).collect();
        session.decide_all(&calls, pieces).await
    }
}

impl Session<'_> {
    /// Puts into a record which primary it is sent to, and takes note of how large it is.
    fn sign(&self, name: Name<'_>, fill: &mut Fill) {
        self.node().large_keys().note(name.hash, fill.record.len());
        record::set_origin(&mut fill.record, self.origin());
    }
}
