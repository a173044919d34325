//! One connection through the proxy.

use std::future::pending;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Link, State};

/// What a slow link delivers at once.
const PIECE: usize = 4096;

/// How a connection ends.
#[derive(PartialEq)]
enum End {
    Close,
    Reset,
}

/// One connection, by the order in which it was accepted.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) state: watch::Receiver<State>,
}

impl Connection {
    /// Passes bytes until one side ends, the link resets, or the proxy is gone.
    pub(super) async fn serve(self, mut client: TcpStream, target: SocketAddr) {
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
        match self.state.wait_for(|state| number < state.reset_below).await {
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
            // It tells the writer of the end of the replies, which comes behind the last of them.
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
        let mut left = Left::default();
        while let Some(reply) = replies.recv().await {
            match reply {
                Reply::Bytes(bytes, arrival) => {
                    let passed = self.pass_reply(&bytes, arrival, &mut left, &mut to).await;
                    if let Err(end) = passed {
                        return end;
                    }
                }
                Reply::Ends(end) => {
                    let number = self.number;
                    let passes = |state: &State| !state.holds_replies(number);
                    return self.state.wait_for(passes).await.map_or(End::Close, |_| end);
                }
            }
        }
        End::Close
    }

    async fn pass_reply(
        &mut self,
        mut bytes: &[u8],
        arrival: Instant,
        left: &mut Left,
        to: &mut WriteHalf<'_>,
    ) -> Result<(), End> {
        while !bytes.is_empty() {
            let state = *self.state.borrow_and_update();
            left.count_from(&state);
            let (due, length) = match state.link {
                Link::Delay(time) => (arrival + time, bytes.len()),
                Link::Trickle(pause) => (Instant::now() + pause, 1),
                Link::SlowAfter(_, pause) if left.bytes == Some(0) => {
                    (Instant::now() + pause, bytes.len().min(PIECE))
                }
                _ => (arrival, left.limit(bytes.len())),
            };
            tokio::select! {
                changed = self.state.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Err(End::Close),
                },
                () = sleep_until(due), if !state.holds_replies(self.number) => {}
            }
            if to.write_all(&bytes[..length]).await.is_err() {
                return Err(End::Reset);
            }
            bytes = &bytes[length..];
            left.take(length);
            if matches!(state.link, Link::ResetAfter(_)) && left.bytes == Some(0) {
                return Err(End::Reset);
            }
        }
        Ok(())
    }

    /// Waits until the link passes requests; `None` if the proxy is gone.
    async fn requests_pass(&mut self) -> Option<()> {
        let number = self.number;
        let passes = |state: &State| !state.holds_requests(number);
        self.state.wait_for(passes).await.ok().map(drop)
    }
}

impl State {
    fn holds_requests(&self, number: u64) -> bool {
        self.link == Link::BlackHole || number < self.frozen_below
    }

    fn holds_replies(&self, number: u64) -> bool {
        self.link == Link::HoldReplies || self.holds_requests(number)
    }
}

/// What is left of [`Link::ResetAfter`] or [`Link::SlowAfter`] on one connection.
#[derive(Default)]
struct Left {
    change: u64,
    bytes: Option<usize>,
}

impl Left {
    fn count_from(&mut self, state: &State) {
        if self.change != state.change {
            self.change = state.change;
            self.bytes = match state.link {
                Link::ResetAfter(bytes) | Link::SlowAfter(bytes, _) => Some(bytes),
                _ => None,
            };
        }
    }

    fn limit(&self, length: usize) -> usize {
        self.bytes.map_or(length, |left| left.min(length))
    }

    fn take(&mut self, passed: usize) {
        self.bytes = self.bytes.map(|bytes| bytes.saturating_sub(passed));
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
