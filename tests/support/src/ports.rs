//! Ports that stay ours while nothing listens on them.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;

/// Below what systems give to outgoing connections. There, a client that keeps connecting to a
/// server that is down would sooner or later be given the server's own port and talk to itself.
const PORTS: Range<u16> = 12_000..32_000;

/// A TCP port of 127.0.0.1 that no other test takes, whether something listens on it or not.
///
/// The reservation is a UDP socket on the same number: every test program sees it, it is not in the
/// way of TCP, and the system takes it back when the process ends.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _reservation: UdpSocket,
}

impl Port {
    /// Reserves a free port.
    pub fn reserve() -> Self {
        let length = u64::from(PORTS.end - PORTS.start);
        for attempt in 0..1_000_u64 {
            let offset = RandomState::new().hash_one(attempt) % length;
            let number = PORTS.start + u16::try_from(offset).expect("smaller than the range");
            let Ok(reservation) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) else {
                continue;
            };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Self { number, _reservation: reservation };
            }
        }
        panic!("no free port found in {PORTS:?}");
    }

    /// Reserves a port that something listens on already.
    pub fn at(number: u16) -> Self {
        let reservation = UdpSocket::bind((Ipv4Addr::LOCALHOST, number));
        Self { number, _reservation: reservation.expect("a port that nobody has reserved") }
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}
