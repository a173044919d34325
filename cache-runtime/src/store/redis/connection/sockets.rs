//! TCP connections that are made to one of several addresses, and that notice when nobody is at the
//! other end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::store::redis::connection::error::{Cause, shortened};

/// How long an address has for itself before the next one is tried beside it, as RFC 8305
/// recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// How long a connection is idle before the kernel asks whether the other end is still there; how
/// often it asks, and how often in vain before the connection is at an end. Together less than a
/// minute.
const IDLE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: u32 = 4;

/// Connects to a host, whose name is resolved anew each time, for somebody who waits for `patience`
/// in all.
pub(in crate::store) async fn connect(
    host: &str,
    port: u16,
    patience: Duration,
) -> Result<TcpStream, Cause> {
    let addresses = lookup_host((host, port))
        .await
        .map_err(|error| Cause::UnknownHost(shortened(error.to_string())))?;
    let stream = connect_to_any(alternating(addresses.collect()), patience).await?;
    // Commands are small, and a caller waits for each.
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL);
    #[cfg(not(windows))]
    let keepalive = keepalive.with_retries(RETRIES);
    // A connection without it is better than none.
    _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    Ok(stream)
}

/// The first address, and then in turn those of the other family and of its own: if one of the
/// families leads nowhere, the second attempt does not.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (own, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut own, mut other) = (own.into_iter(), other.into_iter());
    let mut sorted = Vec::new();
    loop {
        let (one, two) = (own.next(), other.next());
        if one.is_none() && two.is_none() {
            return sorted;
        }
        sorted.extend(one.into_iter().chain(two));
    }
}

/// Tries the addresses side by side, each one a moment after the one before, or at once if that has
/// failed; the first connection counts. An address that drops packets delays the others only for
/// that moment.
async fn connect_to_any(addresses: Vec<SocketAddr>, patience: Duration) -> io::Result<TcpStream> {
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    // All of them have to have a chance.
    let head_start = HEAD_START.min(patience / count.saturating_add(1));
    let mut addresses = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failed = None;
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => _ = failed.get_or_insert(error),
                Some(Err(_)) => {}
                None => {
                    return Err(failed.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()));
                }
            },
            () = sleep(head_start), if addresses.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// An address that drops packets: its queue is full, and nobody accepts. Held by what is
    /// returned.
    async fn deaf() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        // The kernel takes some more than it was told.
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
        {
            held.push(stream);
        }
        (address, listener, held)
    }

    #[tokio::test]
    async fn an_address_that_drops_packets_is_passed_over() {
        let (deaf, _listener, _held) = deaf().await;
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let there = server.local_addr().unwrap();
        let stream = connect_to_any(vec![deaf, there], PATIENCE).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
        // However many there are, all have their turn.
        let mut many = vec![deaf; 20];
        many.push(there);
        let in_time = tokio::time::timeout(PATIENCE, connect_to_any(many, PATIENCE)).await;
        assert_eq!(in_time.unwrap().unwrap().peer_addr().unwrap(), there);
    }

    #[tokio::test]
    async fn an_address_where_nobody_listens_delays_nobody() {
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let nobody = gone.local_addr().unwrap();
        drop(gone);
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let there = server.local_addr().unwrap();
        let stream = connect_to_any(vec![nobody, nobody, there], PATIENCE).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
        let refused = connect_to_any(vec![nobody, nobody], PATIENCE).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert!(connect_to_any(Vec::new(), PATIENCE).await.is_err());
    }

    #[tokio::test]
    async fn the_kernel_watches_over_a_connection() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = server.local_addr().unwrap().port();
        let stream = connect("localhost", port, PATIENCE).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), IDLE);
    }

    #[test]
    fn families_take_turns() {
        let four = |last| SocketAddr::from((Ipv4Addr::new(10, 0, 0, last), 1));
        let six = |last| SocketAddr::from((Ipv6Addr::new(0xfd, 0, 0, 0, 0, 0, 0, last), 1));
        let sorted = alternating(vec![six(1), six(2), six(3), four(1)]);
        assert_eq!(sorted, [six(1), four(1), six(2), six(3)]);
        assert_eq!(alternating(vec![four(1), four(2)]), [four(1), four(2)]);
        assert_eq!(alternating(Vec::new()), []);
    }
}
