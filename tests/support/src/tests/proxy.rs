use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::barrier::eventually;
use crate::proxy::{Link, Proxy};
use crate::redis::{Client, RedisServer};
use crate::within_limit;

const PING: &[u8] = b"PING\r\n";
const PONG: &[u8] = b"+PONG\r\n";

async fn server_and_proxy() -> (RedisServer, Proxy) {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    (server, proxy)
}

/// A client that sees the bytes.
struct Raw(TcpStream);

impl Raw {
    async fn connect(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).await;
        Self(stream.expect("the proxy accepts"))
    }

    async fn ping(&mut self) {
        self.0.write_all(PING).await.expect("can be sent");
    }

    async fn pong(&mut self) {
        let mut reply = [0; PONG.len()];
        let read = within_limit("the reply", self.0.read_exact(&mut reply)).await;
        read.expect("a reply");
        assert_eq!(reply, PONG);
    }

    async fn silence(&mut self) {
        let mut reply = [0; 1];
        let read = self.0.read(&mut reply);
        let read = tokio::time::timeout(Duration::from_millis(100), read).await;
        assert!(read.is_err(), "{read:?}: {reply:?}");
    }

    /// Everything up to a reset.
    async fn until_reset(&mut self) -> Vec<u8> {
        let mut reply = Vec::new();
        let read = within_limit("the reset", self.0.read_to_end(&mut reply)).await;
        assert_eq!(read.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
        reply
    }
}

#[tokio::test]
async fn a_passing_link_is_not_noticed() {
    let (server, proxy) = server_and_proxy().await;
    let client = Client::connect(&server.url_at(proxy.port())).await;
    let value = vec![b'x'; 1_000_000];
    client.set("a", &value).await;
    assert!(client.get("a").await == Some(value));
    assert_eq!((proxy.accepted(), proxy.open()), (1, 1));
    drop(client);
    eventually!(proxy.open() == 0);
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn a_black_hole_accepts_and_never_answers() {
    let (server, proxy) = server_and_proxy().await;
    let mut old = Raw::connect(&proxy).await;
    old.ping().await;
    old.pong().await;
    proxy.set(Link::BlackHole).await;
    let mut new = Raw::connect(&proxy).await;
    new.ping().await;
    old.ping().await;
    new.silence().await;
    old.silence().await;
    assert_eq!(server.commandstats().await.get("ping"), Some(&2), "ours, and that of the start");

    proxy.set(Link::Pass).await;
    new.pong().await;
    old.pong().await;
}

#[tokio::test]
async fn held_replies_are_of_requests_that_were_carried_out() {
    let (server, proxy) = server_and_proxy().await;
    server.reset_commandstats().await;
    let mut raw = Raw::connect(&proxy).await;
    proxy.set(Link::HoldReplies).await;
    raw.ping().await;
    eventually!(server.commandstats().await.get("ping") == Some(&1));
    raw.silence().await;
    proxy.set(Link::Pass).await;
    raw.pong().await;
}

#[tokio::test]
async fn a_frozen_connection_stays_silent_and_a_new_one_passes() {
    let (_server, proxy) = server_and_proxy().await;
    let mut old = Raw::connect(&proxy).await;
    old.ping().await;
    old.pong().await;
    proxy.freeze_connections();
    old.ping().await;
    old.silence().await;
    let mut new = Raw::connect(&proxy).await;
    new.ping().await;
    new.pong().await;
    old.silence().await;
    proxy.reset_connections();
    assert_eq!(old.until_reset().await, b"");
}

#[tokio::test]
async fn a_refusing_link_keeps_its_connections() {
    let (_server, proxy) = server_and_proxy().await;
    let mut old = Raw::connect(&proxy).await;
    old.ping().await;
    old.pong().await;
    proxy.set(Link::Refuse).await;
    let refusal = TcpStream::connect(("127.0.0.1", proxy.port())).await;
    assert_eq!(refusal.expect_err("is refused").kind(), ErrorKind::ConnectionRefused);
    old.ping().await;
    old.pong().await;
    proxy.set(Link::Pass).await;
    let mut new = Raw::connect(&proxy).await;
    new.ping().await;
    new.pong().await;
}

#[tokio::test]
async fn a_reset_comes_in_the_middle_of_a_reply() {
    let (server, proxy) = server_and_proxy().await;
    server.reset_commandstats().await;
    proxy.set(Link::ResetAfter(PONG.len() + 3)).await;
    for _ in 0..2 {
        let mut raw = Raw::connect(&proxy).await;
        raw.ping().await;
        raw.pong().await;
        raw.ping().await;
        assert_eq!(raw.until_reset().await, b"+PO");
    }
    proxy.set(Link::ResetAfter(0)).await;
    let mut raw = Raw::connect(&proxy).await;
    raw.ping().await;
    assert_eq!(raw.until_reset().await, b"");
    assert_eq!(server.commandstats().await.get("ping"), Some(&5), "each request was carried out");
    eventually!(proxy.open() == 0);
}

#[tokio::test]
async fn a_delayed_reply_comes_later() {
    let (_server, proxy) = server_and_proxy().await;
    let delay = Duration::from_millis(100);
    proxy.set(Link::Delay(delay)).await;
    let mut raw = Raw::connect(&proxy).await;
    let begin = Instant::now();
    raw.ping().await;
    raw.pong().await;
    assert!(begin.elapsed() >= delay);

    proxy.set(Link::Delay(Duration::from_secs(3_600))).await;
    raw.ping().await;
    raw.silence().await;
    proxy.set(Link::Pass).await;
    raw.pong().await;
}

#[tokio::test]
async fn a_trickle_comes_byte_by_byte() {
    let (_server, proxy) = server_and_proxy().await;
    let pause = Duration::from_millis(10);
    proxy.set(Link::Trickle(pause)).await;
    let mut raw = Raw::connect(&proxy).await;
    let begin = Instant::now();
    raw.ping().await;
    raw.pong().await;
    assert!(begin.elapsed() >= 7 * pause);
}

#[tokio::test]
async fn a_server_that_is_down_behind_the_proxy_is_a_reset() {
    let (server, proxy) = server_and_proxy().await;
    let mut raw = Raw::connect(&proxy).await;
    raw.ping().await;
    raw.pong().await;
    server.kill();
    let mut rest = Vec::new();
    // The end of a killed process is seen as a close or as a reset.
    let _ = within_limit("the end", raw.0.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
    let mut raw = Raw::connect(&proxy).await;
    assert_eq!(raw.until_reset().await, b"");
}

#[tokio::test]
async fn the_end_of_a_server_is_not_seen_through_a_black_hole() {
    let (server, proxy) = server_and_proxy().await;
    let mut raw = Raw::connect(&proxy).await;
    raw.ping().await;
    raw.pong().await;
    proxy.set(Link::BlackHole).await;
    server.kill();
    raw.silence().await;
    proxy.set(Link::Pass).await;
    within_limit("the end", raw.0.readable()).await.expect("the end");
}

#[tokio::test]
async fn the_connections_end_with_the_proxy() {
    let (_server, proxy) = server_and_proxy().await;
    let mut raw = Raw::connect(&proxy).await;
    raw.ping().await;
    raw.pong().await;
    drop(proxy);
    let mut rest = Vec::new();
    let read = within_limit("the end", raw.0.read_to_end(&mut rest)).await;
    assert_eq!((read.ok(), rest), (Some(0), Vec::new()));
}
