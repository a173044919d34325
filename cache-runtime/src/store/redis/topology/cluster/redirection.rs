//! What a node says of a key that it does not serve.

use crate::store::redis::connection::wire::ServerError;
use crate::store::redis::topology::cluster::slot::SLOTS;
use crate::store::redis::url::Endpoint;

/// Another node has the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirection {
    pub(super) slot: u16,
    pub(super) endpoint: Endpoint,
    /// For this once only: the slot is on its way there.
    pub(super) once: bool,
}

impl Redirection {
    /// The redirection of a server's error, `MOVED 3999 10.0.0.1:6381` or `ASK …`, that came from
    /// `server`.
    pub(in crate::store) fn read(error: &ServerError, server: &Endpoint) -> Option<Self> {
        let once = match error.code() {
            "MOVED" => false,
            "ASK" => true,
            _ => return None,
        };
        let (slot, address) = error.details().split_once(' ')?;
        let (host, port) = address.rsplit_once(':')?;
        let slot = slot.parse().ok().filter(|slot| usize::from(*slot) < SLOTS)?;
        let endpoint = announced(host, port.parse().ok()?, server)?;
        Some(Self { slot, endpoint, once })
    }
}

/// The address that a node of a cluster gives of another one. Without a host it is the host of the
/// node itself.
pub(super) fn announced(host: &str, port: u16, server: &Endpoint) -> Option<Endpoint> {
    let host = match (host, server) {
        ("", Endpoint::Tcp { host, .. }) => host,
        // A node that does not know the name of another one says `?`.
        ("" | "?", _) => return None,
        (host, _) => host,
    };
    let is_sane = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
    (port != 0 && host.len() <= 253 && host.chars().all(is_sane))
        .then(|| Endpoint::Tcp { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use crate::store::redis::connection::wire::RespValue;
    use crate::store::redis::connection::wire::tests::read as read_reply;

    use super::*;

    fn at(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port }
    }

    fn read(error: &str) -> Option<Redirection> {
        match read_reply(format!("-{error}\r\n").as_bytes()) {
            Ok(RespValue::ServerError(error)) => Redirection::read(&error, &at("asked", 6379)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_kinds_are_understood() {
        let moved = Redirection { slot: 3999, endpoint: at("127.0.0.1", 6381), once: false };
        assert_eq!(read("MOVED 3999 127.0.0.1:6381"), Some(moved.clone()));
        assert_eq!(read("ASK 3999 127.0.0.1:6381"), Some(Redirection { once: true, ..moved }));
    }

    #[test]
    fn hosts_are_names_addresses_or_none() {
        for (address, endpoint) in [
            ("cache-1.example.org:6379", at("cache-1.example.org", 6379)),
            ("::1:6379", at("::1", 6379)),
            (":6379", at("asked", 6379)),
        ] {
            let redirection = read(&format!("MOVED 1 {address}"));
            assert_eq!(redirection.map(|it| it.endpoint), Some(endpoint), "{address}");
        }
    }

    #[test]
    fn nobody_is_sent_to_nowhere() {
        for error in [
            "MOVED 1 ?:6379",
            "MOVED 1 host:0",
            "MOVED 1 host:65536",
            "MOVED 1 a/b:6379",
            "MOVED 1 user@host:6379",
            "MOVED 99999 host:6379",
            "MOVED 1",
            "MOVED",
            "ERR 1 host:6379",
        ] {
            assert_eq!(read(error), None, "{error}");
        }
    }
}
