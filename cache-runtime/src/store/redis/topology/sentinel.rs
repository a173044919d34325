//! Finding the primary of a set of servers through their sentinels.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, Value,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::store::redis::connection::backoff::Backoff;
use crate::store::redis::connection::dial::{Driver, dial, open};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::url::{Access, Endpoint};

/// How long one sentinel is waited for: others may answer.
const PATIENCE: Duration = Duration::from_millis(300);

/// Who to ask for the primary called `master`.
#[derive(Clone, Debug)]
pub(in crate::store) struct Sentinels {
    pub(in crate::store) sentinels: Vec<Endpoint>,
    pub(in crate::store) master: String,
}

impl Sentinels {
    /// Where most sentinels say that the primary is. All are asked at once: a single one may have
    /// been cut off from the others and know an old primary only.
    pub(in crate::store) async fn primary(&self, access: &Access) -> Result<Endpoint, Cause> {
        let mut questions = JoinSet::new();
        for sentinel in &self.sentinels {
            let (sentinel, access, master) =
                (sentinel.clone(), access.clone(), self.master.clone());
            questions.spawn(async move {
                timeout(PATIENCE, ask(&sentinel, &access, &master)).await.ok().flatten()
            });
        }
        let mut votes: Vec<(Endpoint, usize)> = Vec::new();
        while let Some(answer) = questions.join_next().await {
            let Ok(Some(primary)) = answer else { continue };
            let at = votes.iter().position(|(known, _)| *known == primary);
            let at = at.unwrap_or_else(|| {
                votes.push((primary, 0));
                votes.len() - 1
            });
            votes[at].1 += 1;
            if votes[at].1 * 2 > self.sentinels.len() {
                break;
            }
        }
        let elected = votes.into_iter().max_by_key(|(_, votes)| *votes);
        elected.map(|(primary, _)| primary).ok_or(Cause::Topology("no sentinel knows the primary"))
    }

    /// Waits until the sentinels say that the primary is not at `present` any more. A primary that
    /// is cut off from its sentinels but not from us would else be written to until it finds out
    /// itself.
    pub(in crate::store) async fn moved(&self, access: &Access, present: &Endpoint) {
        let mut backoff = Backoff::default();
        loop {
            for sentinel in &self.sentinels {
                let listening = timeout(PATIENCE, Channel::open(sentinel, access)).await;
                let Ok(Ok(mut channel)) = listening else { continue };
                backoff.up();
                // Catches up on what happened while nobody was listening.
                if self.primary(access).await.is_ok_and(|primary| primary != *present) {
                    return;
                }
                while let Some(master) = channel.switched().await {
                    if master == self.master {
                        return;
                    }
                }
            }
            sleep(backoff.pause()).await;
        }
    }
}

/// What one sentinel says of the primary.
async fn ask(sentinel: &Endpoint, access: &Access, master: &str) -> Option<Endpoint> {
    let (mut connection, _driver) = reach(sentinel, access, None).await.ok()?;
    let mut question = Cmd::new();
    question.arg("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let Value::Array(answer) = connection.send_packed_command(&question).await.ok()? else {
        return None;
    };
    let [Value::BulkString(host), Value::BulkString(port)] = <[Value; 2]>::try_from(answer).ok()?
    else {
        return None;
    };
    let port = str::from_utf8(&port).ok()?.parse().ok()?;
    Some(Endpoint::Tcp { host: String::from_utf8(host).ok()?, port })
}

/// A sentinel's news of primaries.
struct Channel {
    news: UnboundedReceiver<PushInfo>,
    _connection: (MultiplexedConnection, Driver),
}

impl Channel {
    async fn open(sentinel: &Endpoint, access: &Access) -> Result<Self, Cause> {
        let (sender, news) = unbounded_channel();
        let mut connection = reach(sentinel, access, Some(sender)).await?;
        connection.0.subscribe("+switch-master").await?;
        Ok(Self { news, _connection: connection })
    }

    /// The name of the next one that has moved; `None` when the connection has ended.
    async fn switched(&mut self) -> Option<String> {
        loop {
            let PushInfo { kind, data } = self.news.recv().await?;
            match (kind, data.as_slice()) {
                (PushKind::Disconnection, _) => return None,
                // `<name> <old host> <old port> <new host> <new port>`
                (PushKind::Message, [_, Value::BulkString(message)]) => {
                    let message = String::from_utf8_lossy(message);
                    return message.split(' ').next().map(str::to_owned);
                }
                _ => {}
            }
        }
    }
}

/// Connects to a sentinel.
async fn reach(
    sentinel: &Endpoint,
    access: &Access,
    news: Option<UnboundedSender<PushInfo>>,
) -> Result<(MultiplexedConnection, Driver), Cause> {
    let mut config = AsyncConnectionConfig::new();
    if let Some(news) = news {
        config = config.set_push_sender(news);
    }
    // Most sentinels have no password, and refuse clients that give one.
    let nobody = Access { tls: access.tls, ..Access::default() };
    let greet = async |access: &Access| {
        let mut login = RedisConnectionInfo::default()
            .set_lib_name(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .set_protocol(ProtocolVersion::RESP3);
        if let Some(user) = &access.user {
            login = login.set_username(user);
        }
        if let Some(password) = &access.password {
            login = login.set_password(password);
        }
        open(dial(sentinel, access.tls, PATIENCE).await?, &login, config.clone(), ()).await
    };
    match greet(&nobody).await {
        Err(Cause::NoPassword(_)) => greet(access).await,
        result => result,
    }
}
