//! A TCP proxy whose link can be broken in the ways that networks break.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::barrier::{Patience, eventually};
use super::ports::Port;
use super::redis::RedisServer;

/// What the link does with bytes. Those held back are delivered once the link lets them pass.
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
            // A process that is being started elsewhere has a copy of the listener for a moment.
            eventually!(TcpStream::connect(self.address()).await.is_err());
        } else if listening.is_none() {
            let address = (Ipv4Addr::LOCALHOST, self.port());
            let listener = TcpListener::bind(address)
                .await
                .expect("the port is reserved");
            let (target, state) = (self.target, self.state.subscribe());
            *listening = Some(tokio::spawn(accept(
                listener,
                target,
                state,
                Arc::clone(&self.counts),
            )));
        }
    }

    /// The port is reserved, but not from copies of its listener, as above.
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
    while let Ok((client, _)) = listener.accept().await {
        let number = counts.accepted.fetch_add(1, Ordering::SeqCst);
        counts.open.fetch_add(1, Ordering::SeqCst);
        let connection = Connection {
            number,
            state: state.clone(),
        };
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            connection.serve(client, target).await;
            counts.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// How a connection ends.
#[derive(PartialEq)]
enum End {
    Close,
    Reset,
}

#[derive(Clone)]
struct Connection {
    number: u64,
    state: watch::Receiver<State>,
}

impl Connection {
    async fn serve(self, mut client: TcpStream, target: SocketAddr) {
        let mut reset = self.clone();
        let end = tokio::select! {
            end = self.relay(&mut client, target) => end,
            end = reset.reset() => end,
        };
        if end == End::Reset {
            // Closing with a linger time of zero is how a program sends a reset.
            let _ = client.set_zero_linger();
        }
    }

    async fn reset(&mut self) -> End {
        let number = self.number;
        match self
            .state
            .wait_for(|state| number < state.reset_below)
            .await
        {
            Ok(_) => End::Reset,
            Err(_) => End::Close,
        }
    }

    async fn relay(mut self, client: &mut TcpStream, target: SocketAddr) -> End {
        if self.requests_pass().await.is_none() {
            return End::Close;
        }
        let Ok(mut server) = TcpStream::connect(target).await else {
            return End::Reset;
        };
        // A piece of a reply must not wait for the acknowledgement of the one before.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let (arrived, replies) = mpsc::channel(64);
        let mut requests = self.clone();
        let writing = self.pass_replies(replies, to_client);
        tokio::select! {
            end = requests.pass_requests(from_client, to_server) => end,
            end = writing => end,
            // The end of the replies is seen by the writer, behind the last of them.
            end = async { read_replies(from_server, arrived).await; pending().await } => end,
        }
    }

    async fn pass_requests(&mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> End {
        let mut buffer = [0; 16 * 1024];
        loop {
            let length = match from.read(&mut buffer).await {
                Ok(0) => return End::Close,
                Ok(length) => length,
                Err(_) => return End::Reset,
            };
            if self.requests_pass().await.is_none() {
                return End::Close;
            }
            if to.write_all(&buffer[..length]).await.is_err() {
                return End::Reset;
            }
        }
    }

    async fn pass_replies(
        &mut self,
        mut replies: mpsc::Receiver<Reply>,
        mut to: WriteHalf<'_>,
    ) -> End {
        let mut until_reset = UntilReset::default();
        while let Some(reply) = replies.recv().await {
            let (bytes, arrival) = match reply {
                Reply::Bytes(bytes, arrival) => (bytes, arrival),
                Reply::Ends(end) => return end,
            };
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let state = *self.state.borrow_and_update();
                let passes = if self.number < state.frozen_below {
                    None
                } else {
                    until_reset.count_from(&state);
                    passes(state.link, arrival, rest.len(), until_reset.bytes)
                };
                tokio::select! {
                    changed = self.state.changed() => match changed {
                        Ok(()) => continue,
                        Err(_) => return End::Close,
                    },
                    () = sleep_until(passes.map_or(arrival, |(due, _)| due)), if passes.is_some() => {}
                }
                let (_, length) = passes.unwrap_or((arrival, 0));
                if to.write_all(&rest[..length]).await.is_err() {
                    return End::Reset;
                }
                rest = &rest[length..];
                if until_reset.reached(length) {
                    return End::Reset;
                }
            }
        }
        End::Close
    }

    /// Waits until the link passes requests; `None` if the proxy is gone.
    async fn requests_pass(&mut self) -> Option<()> {
        let number = self.number;
        let passes = |state: &State| state.link != Link::BlackHole && number >= state.frozen_below;
        self.state.wait_for(passes).await.ok().map(drop)
    }
}

/// When the next bytes of a reply pass, and how many at once; `None` if not while the link is so.
fn passes(
    link: Link,
    arrival: Instant,
    length: usize,
    until_reset: Option<usize>,
) -> Option<(Instant, usize)> {
    match link {
        Link::BlackHole | Link::HoldReplies => None,
        Link::Pass | Link::Refuse => Some((arrival, length)),
        Link::Delay(time) => Some((arrival + time, length)),
        Link::Trickle(pause) => Some((Instant::now() + pause, 1)),
        Link::ResetAfter(_) => Some((arrival, until_reset.map_or(length, |left| left.min(length)))),
    }
}

/// What is left of [`Link::ResetAfter`] on one connection.
#[derive(Default)]
struct UntilReset {
    change: u64,
    bytes: Option<usize>,
}

impl UntilReset {
    fn count_from(&mut self, state: &State) {
        if self.change != state.change {
            self.change = state.change;
            self.bytes = match state.link {
                Link::ResetAfter(bytes) => Some(bytes),
                _ => None,
            };
        }
    }

    fn reached(&mut self, passed: usize) -> bool {
        self.bytes = self.bytes.map(|bytes| bytes - passed);
        self.bytes == Some(0)
    }
}

/// What comes from the server.
enum Reply {
    Bytes(Vec<u8>, Instant),
    Ends(End),
}

async fn read_replies(mut from: ReadHalf<'_>, arrived: mpsc::Sender<Reply>) {
    loop {
        let mut bytes = vec![0; 16 * 1024];
        let reply = match from.read(&mut bytes).await {
            Ok(0) => Reply::Ends(End::Close),
            Ok(length) => {
                bytes.truncate(length);
                Reply::Bytes(bytes, Instant::now())
            }
            Err(_) => Reply::Ends(End::Reset),
        };
        let last = matches!(reply, Reply::Ends(_));
        if arrived.send(reply).await.is_err() || last {
            return;
        }
    }
}
