//! A TCP proxy whose link can be broken in the ways that networks break.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use self::connection::Connection;
use super::barrier::{Patience, eventually};
use super::ports::Port;
use super::redis::RedisServer;

mod connection;

/// What the link does with bytes. Bytes held back, and the end of a connection behind them, are
/// delivered once the link lets them pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Passes everything at once.
    Pass,
    /// Accepts connections and passes nothing in either direction.
    BlackHole,
    /// Passes requests, so that the server carries them out, and holds back the replies.
    HoldReplies,
    /// Refuses new connections. Those that are open go on.
    Refuse,
    /// Resets each connection once so many more bytes of replies have passed on it; with 0, in
    /// place of the first byte.
    ResetAfter(usize),
    /// Delivers each piece of a reply so much later.
    Delay(Duration),
    /// Delivers replies byte by byte, with this pause before each.
    Trickle(Duration),
    /// Delivers so many more bytes of replies on each connection at once, and the rest in pieces of
    /// 4 KiB with this pause before each.
    SlowAfter(usize, Duration),
}

#[derive(Clone, Copy, Debug)]
struct State {
    link: Link,
    /// Counts the changes of `link`, for what is counted from a change on.
    change: u64,
    /// Connections numbered below pass nothing any more.
    frozen_below: u64,
    /// Connections numbered below are reset.
    reset_below: u64,
}

/// The proxy. It ends with this value, and so do its connections.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    target: SocketAddr,
    state: watch::Sender<State>,
    counts: Arc<Counts>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    open: AtomicU64,
}

impl Proxy {
    /// A proxy in front of a server; [`RedisServer::url_at`] with its port is the URL.
    pub async fn to(server: &RedisServer) -> Self {
        Self::to_port(server.port()).await
    }

    /// A proxy in front of whatever listens on a port of 127.0.0.1.
    pub async fn to_port(target: u16) -> Self {
        let proxy = Self {
            port: Port::reserve(),
            target: SocketAddr::from((Ipv4Addr::LOCALHOST, target)),
            state: watch::Sender::new(State {
                link: Link::Pass,
                change: 0,
                frozen_below: 0,
                reset_below: 0,
            }),
            counts: Arc::default(),
            listening: Mutex::new(None),
        };
        proxy.set(Link::Pass).await;
        proxy
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Connections accepted so far.
    pub fn accepted(&self) -> u64 {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// Connections open now.
    pub fn open(&self) -> u64 {
        self.counts.open.load(Ordering::SeqCst)
    }

    /// Changes the link, for connections open and to come. What is sent from now on is subject to
    /// it; of what was sent before, some may still pass.
    pub async fn set(&self, link: Link) {
        let mut listening = self.listening.lock().await;
        self.state.send_modify(|state| {
            state.link = link;
            state.change += 1;
        });
        if link == Link::Refuse {
            if let Some(task) = listening.take() {
                task.abort();
                // The listener is closed when the task is gone, which is an error here.
                let _ = task.await;
            }
            // A process that another test is starting has a copy of the listener for a moment.
            eventually!(TcpStream::connect(self.address()).await.is_err());
        } else if listening.is_none() {
            let listener = self.listen().await;
            let (target, state) = (self.target, self.state.subscribe());
            *listening =
                Some(tokio::spawn(accept(listener, target, state, Arc::clone(&self.counts))));
        }
    }

    /// The connections open now pass nothing any more, for good, and are not closed: a router has
    /// forgotten them. New ones are as the link is.
    pub fn freeze_connections(&self) {
        let below = self.accepted();
        self.state.send_modify(|state| state.frozen_below = below);
    }

    /// Resets the connections open now.
    pub fn reset_connections(&self) {
        let below = self.accepted();
        self.state.send_modify(|state| state.reset_below = below);
    }

    /// The port is reserved, but not from copies of its listener.
    async fn listen(&self) -> TcpListener {
        let patience = Patience::new();
        loop {
            match TcpListener::bind(self.address()).await {
                Ok(listener) => return listener,
                Err(_) => patience.pause("the proxy listens").await,
            }
        }
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(task) = self.listening.get_mut() {
            task.abort();
        }
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    state: watch::Receiver<State>,
    counts: Arc<Counts>,
) {
    loop {
        let (client, _) = listener.accept().await.expect("the test may open files");
        let number = counts.accepted.fetch_add(1, Ordering::SeqCst);
        counts.open.fetch_add(1, Ordering::SeqCst);
        let connection = Connection { number, state: state.clone() };
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            Box::pin(connection.serve(client, target)).await;
            counts.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}
