//! The multiplexer and a peer that is the test itself.
//!
//! The tests are their own executor: a task is polled only if it was woken, so that a wake-up that
//! is lost shows as a call that never ends.

mod interleavings;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::BytesMut;
use redis::{Cmd, Pipeline};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};

use crate::store::redis::connection::multiplexer::*;
use crate::store::redis::connection::wire::Frames;

/// Whether a task is to be polled.
#[derive(Debug)]
pub(super) struct Woken(AtomicBool);

impl Woken {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The server at the other end of a pipe.
#[derive(Debug)]
pub(super) struct Peer {
    pipe: DuplexStream,
    input: BytesMut,
    frames: Frames,
}

impl Peer {
    /// A pipe that takes so many bytes in each direction.
    pub(super) fn new(capacity: usize) -> (Self, Socket) {
        let (pipe, socket) = tokio::io::duplex(capacity);
        let peer = Self { pipe, input: BytesMut::new(), frames: Frames::default() };
        (peer, Socket::Stream(Box::new(socket)))
    }

    /// The commands that are there, of which no more bytes than that are read.
    pub(super) fn read(&mut self, most: usize) -> Vec<RespValue> {
        let mut bytes = vec![0; most];
        let mut buffer = ReadBuf::new(&mut bytes);
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut self.pipe).poll_read(cx, &mut buffer);
        self.input.extend_from_slice(buffer.filled());
        std::iter::from_fn(|| self.frames.next(&mut self.input).unwrap()).collect()
    }

    /// Writes what the pipe takes of these bytes: how many.
    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        let cx = &mut Context::from_waker(Waker::noop());
        match Pin::new(&mut self.pipe).poll_write(cx, bytes) {
            Poll::Ready(Ok(written)) => written,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        }
    }
}

/// `ECHO number`.
pub(super) fn echo(number: usize) -> Cmd {
    let mut command = redis::cmd("ECHO");
    command.arg(number);
    command
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(woken));
    future.poll(&mut Context::from_waker(&waker))
}

/// Polls the driver for as long as it is woken. Whether it has ended.
pub(super) fn drive(driver: &mut Driver, woken: &Arc<Woken>) -> bool {
    while woken.take() {
        if poll(Pin::new(driver), woken).is_ready() {
            return true;
        }
    }
    false
}

fn bulk(text: &str) -> RespValue {
    RespValue::BulkString(text.to_owned().into())
}

#[test]
fn commands_of_many_callers_are_answered_in_order() {
    let (mut peer, socket) = Peer::new(1024);
    let (connection, mut driver) = Multiplexer::new(socket, None);
    let (first, second) = (echo(1), echo(2));
    let (mut first, mut second) = (pin!(connection.send(&first)), pin!(connection.send(&second)));
    let (awake, one, two) = (Woken::new(), Woken::new(), Woken::new());
    assert!(poll(first.as_mut(), &one).is_pending() && poll(second.as_mut(), &two).is_pending());
    assert!(!drive(&mut driver, &awake));
    assert_eq!(peer.read(1024).len(), 2, "both, in one go");

    one.take();
    two.take();
    peer.write(b"$1\r\n1\r\n$1\r\n");
    assert!(!drive(&mut driver, &awake));
    assert!(one.take() && !two.take());
    assert_eq!(poll(first.as_mut(), &one), Poll::Ready(Ok(bulk("1"))));
    peer.write(b"2\r\n");
    assert!(!drive(&mut driver, &awake));
    assert!(two.take());
    assert_eq!(poll(second.as_mut(), &two), Poll::Ready(Ok(bulk("2"))));
}

#[test]
fn the_reply_to_one_who_has_gone_is_thrown_away() {
    let (mut peer, socket) = Peer::new(1024);
    let (connection, mut driver) = Multiplexer::new(socket, None);
    let awake = Woken::new();
    for number in 0..10 {
        let (gone, stays) = (echo(1), echo(2));
        let mut gone = Box::pin(connection.send(&gone));
        let mut stays = pin!(connection.send(&stays));
        let woken = Woken::new();
        assert!(poll(gone.as_mut(), &woken).is_pending());
        assert!(poll(stays.as_mut(), &woken).is_pending());
        assert!(!drive(&mut driver, &awake));
        if number % 2 == 0 {
            drop(gone);
            peer.write(b"$1\r\n1\r\n");
            assert!(!drive(&mut driver, &awake));
        } else {
            peer.write(b"$1\r\n1\r\n");
            assert!(!drive(&mut driver, &awake));
            drop(gone);
        }
        peer.write(b"$1\r\n2\r\n");
        assert!(!drive(&mut driver, &awake));
        assert_eq!(poll(stays.as_mut(), &woken), Poll::Ready(Ok(bulk("2"))));
    }
    assert!(format!("{connection:?}").contains("places: 2"), "places are used again");
}

#[test]
fn everybody_learns_of_the_end_at_once() {
    let ends: [fn(Peer, Driver); 3] = [
        |_peer, driver| drop(driver),
        |peer, mut driver| {
            drop(peer);
            assert!(drive(&mut driver, &Woken::new()));
        },
        |mut peer, mut driver| {
            peer.write(b"HTTP/1.1 400 Bad Request\r\n");
            assert!(drive(&mut driver, &Woken::new()));
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let (peer, socket) = Peer::new(1024);
        let (connection, driver) = Multiplexer::new(socket, None);
        let (command, later) = (echo(1), echo(2));
        let mut waits = pin!(connection.send(&command));
        let woken = Woken::new();
        woken.take();
        assert!(poll(waits.as_mut(), &woken).is_pending());
        end(peer, driver);
        let ended = if number == 2 { Ended::Malformed } else { Ended::Closed };
        assert!(woken.take());
        assert_eq!(poll(waits.as_mut(), &woken), Poll::Ready(Err(ended)));
        assert_eq!(poll(pin!(connection.send(&later)), &woken), Poll::Ready(Err(ended)));
    }
}

#[test]
fn what_nobody_has_asked_for_is_told_or_ends_the_connection() {
    let (mut peer, socket) = Peer::new(1024);
    let (_connection, mut driver) = Multiplexer::new(socket, None);
    let awake = Woken::new();
    peer.write(b"-ERR max number of clients reached\r\n>1\r\n+news\r\n");
    assert!(!drive(&mut driver, &awake), "it may be said");
    peer.write(b"$1\r\n1\r\n");
    assert!(drive(&mut driver, &awake), "replies are in disorder");

    let (mut peer, socket) = Peer::new(1024);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let (_connection, mut driver) =
        Multiplexer::new(socket, Some(Box::new(move |value| tell.lock().unwrap().push(value))));
    peer.write(b"*1\r\n$7\r\nmessage\r\n>1\r\n:1\r\n");
    assert!(!drive(&mut driver, &Woken::new()));
    let expected =
        [RespValue::Array(vec![bulk("message")]), RespValue::Push(vec![RespValue::Int(1)])];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn a_pipeline_may_be_larger_than_all_buffers() {
    let (mut peer, socket) = Peer::new(64);
    let (connection, mut driver) = Multiplexer::new(socket, None);
    let mut pipeline = Pipeline::new();
    for number in 0..1000 {
        pipeline.add_command(echo(number));
    }
    let mut all = pin!(connection.send(&pipeline));
    let (woken, awake) = (Woken::new(), Woken::new());
    let mut output = Vec::new();
    let replies = loop {
        if woken.take()
            && let Poll::Ready(replies) = poll(all.as_mut(), &woken)
        {
            break replies.unwrap();
        }
        assert!(!drive(&mut driver, &awake));
        for command in peer.read(7) {
            let RespValue::Array(words) = command else { panic!("{command:?}") };
            let number = words[1].text().unwrap();
            output.extend_from_slice(format!("${}\r\n{number}\r\n", number.len()).as_bytes());
        }
        let written = peer.write(&output);
        output.drain(..written);
    };
    let numbers: Vec<_> = replies.iter().map(|reply| reply.text().unwrap().parse()).collect();
    assert_eq!(numbers, (0..1000).map(Ok).collect::<Vec<_>>());
}

#[test]
fn a_server_that_takes_nothing_lets_only_so_much_gather() {
    let (mut peer, socket) = Peer::new(64);
    let (connection, mut driver) = Multiplexer::new(socket, None);
    let awake = Woken::new();
    let large = redis::cmd("ECHO").arg(vec![b'x'; 1 << 20]).to_owned();
    let mut callers: Vec<_> =
        (0..12).map(|_| (Box::pin(connection.send(&large)), Woken::new())).collect();
    for (caller, woken) in &mut callers {
        woken.take();
        assert!(poll(caller.as_mut(), woken).is_pending());
        assert!(!drive(&mut driver, &awake));
    }
    let count_sent = || {
        let shown = format!("{connection:?}");
        (0..=12).find(|sent| shown.contains(&format!("awaited: {sent},"))).unwrap()
    };
    let sent = count_sent();
    assert!((5..12).contains(&sent), "{sent}");
    // It takes some, and those who have waited may send theirs.
    while callers.iter().skip(sent).any(|(_, woken)| !woken.take()) {
        peer.read(1 << 20);
        assert!(!drive(&mut driver, &awake));
    }
    let (caller, woken) = callers.last_mut().unwrap();
    assert!(poll(caller.as_mut(), woken).is_pending());
    assert_eq!(count_sent(), sent + 1);
}

#[test]
fn a_large_reply_shows_its_progress() {
    let (mut peer, socket) = Peer::new(4 << 20);
    let (_connection, mut driver) = Multiplexer::new(socket, Some(Box::new(drop)));
    let (progress, awake) = (driver.progress(), Woken::new());
    let mut pass = |bytes: &[u8]| {
        assert_eq!(peer.write(bytes), bytes.len());
        assert!(!drive(&mut driver, &awake));
        progress.bytes()
    };
    let half = vec![b'$'; 1 << 20];
    assert_eq!(pass(b"+OK\r\n$3\r\na\nb\r\n"), 0);
    assert_eq!(pass(b"$2097152\r\n"), 10);
    assert_eq!(pass(&half), 10 + (1 << 20));
    assert_eq!(pass(&half), 10 + (2 << 20));
    assert_eq!(pass(b"\r\n"), 0);
    // Many strings of one reply count together.
    assert_eq!(pass(b"*3\r\n$1048576\r\n"), 14);
    assert_eq!(pass(&half), 14 + (1 << 20));
    assert_eq!(pass(b"\r\n$3\r\nabc\r\n:1\r\n"), 0);
}

/// The caller itself writes: the driver has not been polled.
#[tokio::test]
async fn a_lone_command_needs_no_driver() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    socket.writable().await.unwrap();
    let (connection, driver) = Multiplexer::new(Socket::Tcp(socket), None);
    let command = redis::cmd("PING");
    let mut call = pin!(connection.send(&command));
    assert!(poll(call.as_mut(), &Woken::new()).is_pending());
    let mut received = [0; 14];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(received, *b"*1\r\n$4\r\nPING\r\n");

    server.write_all(b"+PONG\r\n").await.unwrap();
    tokio::select! {
        reply = call => assert_eq!(reply, Ok(RespValue::SimpleString("PONG".to_owned()))),
        () = driver => panic!("the connection has ended"),
    }
}
