//! Finding the primary of a set of servers through their sentinels.

use std::time::Duration;

use redis::Cmd;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::store::redis::connection::backoff::Backoff;
use crate::store::redis::connection::dial::{DriverTask, dial, greet, open};
use crate::store::redis::connection::error::{Cause, refusal};
use crate::store::redis::connection::multiplexer::{Listener, Multiplexer};
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::wire::RespValue;
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
    let (connection, _driver) = reach(sentinel, access, None).await.ok()?;
    let mut question = Cmd::new();
    question.arg("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let RespValue::Array(answer) = connection.send(&question).await.ok()? else { return None };
    let [host, port] = &answer[..] else { return None };
    Some(Endpoint::Tcp { host: host.text()?.to_owned(), port: port.text()?.parse().ok()? })
}

/// A sentinel's news of primaries.
struct Channel {
    news: UnboundedReceiver<RespValue>,
    _connection: (Multiplexer, DriverTask),
}

impl Channel {
    async fn open(sentinel: &Endpoint, access: &Access) -> Result<Self, Cause> {
        let (sender, news) = unbounded_channel();
        let listener: Listener = Box::new(move |value| {
            // Nobody listens any more: the connection is about to be closed.
            _ = sender.send(value);
        });
        let connection = reach(sentinel, access, Some(listener)).await?;
        let mut subscription = Cmd::new();
        subscription.arg("SUBSCRIBE").arg("+switch-master");
        match connection.0.send(&subscription).await? {
            RespValue::ServerError(error) => Err(refusal(&error, access).into()),
            _ => Ok(Self { news, _connection: connection }),
        }
    }

    /// The name of the next one that has moved; `None` when the connection has ended.
    async fn switched(&mut self) -> Option<String> {
        loop {
            let RespValue::Array(news) = self.news.recv().await? else { continue };
            // `<name> <old host> <old port> <new host> <new port>`
            if let [kind, _, message] = &news[..]
                && kind.text() == Some("message")
            {
                return message.text()?.split(' ').next().map(str::to_owned);
            }
        }
    }
}

/// Connects to a sentinel. In RESP2, what it says without having been asked looks like a reply that
/// nobody waits for, which `listener` gets.
async fn reach(
    sentinel: &Endpoint,
    access: &Access,
    listener: Option<Listener>,
) -> Result<(Multiplexer, DriverTask), Cause> {
    let (connection, driver) = open(dial(sentinel, access.tls, PATIENCE).await?, listener, ());
    let mut ping = Cmd::new();
    ping.arg("PING");
    // Most sentinels have no password, and refuse clients that give one.
    if is_error(&connection.send(&ping).await?, "NOAUTH") {
        greet(&connection, access).await?;
    }
    Ok((connection, driver))
}
