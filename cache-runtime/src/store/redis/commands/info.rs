//! What servers say of themselves, for operators.

use redis::Cmd;
use tokio::time::Instant;

use crate::store::redis::RedisStore;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::router::Route;
use crate::store::sweeps::LOOK;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::join::join;

/// What one server says of itself.
#[derive(Clone, Debug)]
pub(crate) struct ServerInfo {
    /// Where it is, without credentials; empty where that changes.
    pub(crate) address: String,
    /// The reply to `INFO`.
    pub(crate) text: String,
}

impl RedisStore {
    /// What every primary says of itself.
    pub(crate) async fn infos(&self) -> StoreResult<Vec<ServerInfo>> {
        let by = Instant::now() + LOOK;
        let mut routes = self.router.primaries(by).await?;
        let mut infos = vec![Err(StoreError::Unexpected); routes.len()];
        let asked = routes.iter_mut().zip(&mut infos).map(async |(route, info)| {
            *info = ask(route, by).await;
            route.note(info);
        });
        join(asked).await;
        infos.into_iter().collect()
    }
}

async fn ask(route: &mut Route<'_>, by: Deadline) -> StoreResult<ServerInfo> {
    let mut session = route.session(by).await?;
    let address = session.node().endpoint().map(ToString::to_string).unwrap_or_default();
    Ok(ServerInfo { address, text: session.info(by).await? })
}

impl Session<'_> {
    async fn info(&mut self, by: Deadline) -> StoreResult<String> {
        let mut info = Cmd::with_capacity(1, 4);
        info.arg("INFO");
        match self.call(&info, by).await? {
            RespValue::BulkString(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            reply => Err(self.refused(reply)),
        }
    }
}
