//! What goes wrong meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_testing::dice::Dice;
use cache_testing::history::{History, Loss, Write};
use cache_testing::process;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Data, RedisServer};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::database::{Database, ROWS};
use crate::functions::{deletable, evictable};
use crate::now;

/// How often each fault happened.
pub type Faults = BTreeMap<String, u64>;

/// Two things go wrong at a time: something of the server, and something between it and a process.
pub struct Trouble {
    over: Arc<AtomicBool>,
    server: JoinHandle<(RedisServer, History, Faults)>,
    links: JoinHandle<Faults>,
}

impl Trouble {
    pub fn start(
        server: RedisServer,
        proxies: Vec<Proxy>,
        processes: Vec<u32>,
        database: Database,
        dice: &Dice,
    ) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let server = OfServer {
            server,
            database,
            dice: dice.fork(11),
            history: History::default(),
            faults: Faults::new(),
        };
        let links = OfLinks { proxies, processes, dice: dice.fork(12), faults: Faults::new() };
        Self {
            server: tokio::spawn(server.go_wrong(Arc::clone(&over))),
            links: tokio::spawn(links.go_wrong(Arc::clone(&over))),
            over,
        }
    }

    /// Ends the present faults, and gives back the server, which runs.
    pub async fn end(self) -> (History, Faults, RedisServer) {
        self.over.store(true, Ordering::Relaxed);
        let (server, history, mut faults) = self.server.await.unwrap();
        faults.append(&mut self.links.await.unwrap());
        (history, faults, server)
    }
}

#[derive(Clone, Copy, Debug)]
enum ServerFault {
    Stop,
    RestartEmpty,
    Del,
    Unlink,
    FlushAll,
    ScriptFlush,
    /// Everything is evicted, and nothing can be stored for a while.
    OutOfMemory,
    /// No fault: somebody who knows nothing of this library changes a row and deletes the entry.
    WriteAndDel,
}

const SERVER_FAULTS: [(u64, ServerFault); 8] = [
    (1, ServerFault::Stop),
    (1, ServerFault::RestartEmpty),
    (8, ServerFault::Del),
    (8, ServerFault::Unlink),
    (3, ServerFault::FlushAll),
    (3, ServerFault::ScriptFlush),
    (2, ServerFault::OutOfMemory),
    (16, ServerFault::WriteAndDel),
];

struct OfServer {
    server: RedisServer,
    database: Database,
    dice: Dice,
    history: History,
    faults: Faults,
}

impl OfServer {
    async fn go_wrong(mut self, over: Arc<AtomicBool>) -> (RedisServer, History, Faults) {
        while !over.load(Ordering::Relaxed) {
            let fault = self.dice.pick(&SERVER_FAULTS);
            *self.faults.entry(format!("{fault:?}")).or_default() += 1;
            self.apply(fault).await;
            sleep(self.dice.span(250)).await;
        }
        (self.server, self.history, self.faults)
    }

    async fn apply(&mut self, fault: ServerFault) {
        let (row, start) = (self.dice.below(ROWS), now());
        let any = |keys: Vec<String>| keys[self.dice.index(keys.len())].clone();
        match fault {
            ServerFault::Stop => {
                self.server.stop();
                sleep(self.dice.span(500)).await;
                self.server.cont();
            }
            ServerFault::RestartEmpty => {
                self.server.kill();
                sleep(self.dice.span(300)).await;
                self.server.restart(Data::Lost).await;
                self.lost(None, start);
            }
            ServerFault::Del => {
                self.server.client().await.del(&any(evictable(row))).await;
                self.lost(Some(row), start);
            }
            ServerFault::Unlink => {
                self.server.client().await.unlink(&any(evictable(row))).await;
                self.lost(Some(row), start);
            }
            ServerFault::FlushAll => {
                self.server.client().await.flush_all().await;
                self.lost(None, start);
            }
            ServerFault::ScriptFlush => self.server.client().await.script_flush().await,
            ServerFault::OutOfMemory => {
                let client = self.server.client().await;
                client.config_set("maxmemory-policy", "allkeys-random").await;
                client.config_set("maxmemory", "1").await;
                sleep(self.dice.span(300)).await;
                client.config_set("maxmemory", "0").await;
                self.lost(None, start);
            }
            ServerFault::WriteAndDel => {
                let client = self.server.client().await;
                let version = self.database.bump(row).await;
                let committed = Some((now(), version));
                client.del(&any(deletable(row))).await;
                self.lost(Some(row), start);
                self.history.writes.push(Write {
                    process: usize::MAX,
                    row,
                    manner: format!("{fault:?}"),
                    start,
                    committed,
                    returned: Some(now()),
                    acknowledged: Some(now()),
                    fenced: false,
                });
            }
        }
    }

    fn lost(&mut self, row: Option<u64>, start: u64) {
        self.history.losses.push(Loss { row, start, end: now() });
    }
}

#[derive(Clone, Copy, Debug)]
enum LinkFault {
    Reset,
    ResetInReply,
    HoldReplies,
    BlackHole,
    Refuse,
    Freeze,
    Slow,
    StopProcess,
}

const LINK_FAULTS: [(u64, LinkFault); 8] = [
    (1, LinkFault::Reset),
    (1, LinkFault::ResetInReply),
    (1, LinkFault::HoldReplies),
    (1, LinkFault::BlackHole),
    (1, LinkFault::Refuse),
    (1, LinkFault::Freeze),
    (12, LinkFault::Slow),
    (4, LinkFault::StopProcess),
];

struct OfLinks {
    proxies: Vec<Proxy>,
    processes: Vec<u32>,
    dice: Dice,
    faults: Faults,
}

impl OfLinks {
    async fn go_wrong(mut self, over: Arc<AtomicBool>) -> Faults {
        while !over.load(Ordering::Relaxed) {
            let fault = self.dice.pick(&LINK_FAULTS);
            *self.faults.entry(format!("{fault:?}")).or_default() += 1;
            self.apply(fault).await;
            sleep(self.dice.span(500)).await;
        }
        // The links must stay until the processes have settled.
        tokio::spawn(async move {
            let _links = self.proxies;
            std::future::pending::<()>().await;
        });
        self.faults
    }

    async fn apply(&self, fault: LinkFault) {
        let at = self.dice.index(self.proxies.len());
        let (proxy, process) = (&self.proxies[at], self.processes[at]);
        let link = match fault {
            LinkFault::Reset => return proxy.reset_connections(),
            LinkFault::Freeze => return proxy.freeze_connections(),
            LinkFault::StopProcess => {
                process::stop(process);
                sleep(self.dice.span(300)).await;
                return process::cont(process);
            }
            LinkFault::ResetInReply => Link::ResetAfter(self.dice.index(300)),
            LinkFault::HoldReplies => Link::HoldReplies,
            LinkFault::BlackHole => Link::BlackHole,
            LinkFault::Refuse => Link::Refuse,
            LinkFault::Slow => Link::Delay(Duration::from_millis(1 + self.dice.below(20))),
        };
        proxy.set(link).await;
        sleep(self.dice.span(500)).await;
        proxy.set(Link::Pass).await;
    }
}
