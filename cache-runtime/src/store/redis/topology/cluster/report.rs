//! What one node says of its cluster.

use std::collections::HashMap;
use std::time::Duration;

use crate::store::redis::connection::dial::{dial, log_in};
use crate::store::redis::connection::error::{Cause, refusal};
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::cluster::redirection::announced;
use crate::store::redis::url::{Access, Endpoint};

/// Who serves which slots, as one node sees it.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) claims: Vec<Claim>,
    /// The configuration epoch of every node, by its id. A failover raises it, and so does the
    /// import of a slot.
    pub(super) epochs: HashMap<String, u64>,
}

/// A primary serves the slots from `first` to `last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) endpoint: Endpoint,
    /// Of the node. Empty for those of old servers, which do not tell.
    pub(super) id: String,
}

impl Report {
    /// Asks the node at `endpoint`, on a connection of its own.
    pub(super) async fn ask(
        endpoint: &Endpoint,
        access: &Access,
        patience: Duration,
    ) -> Result<Self, Cause> {
        let stream = dial(endpoint, access.tls, patience).await?;
        let (connection, _driver) = log_in(stream, access, ()).await?;
        let mut questions = redis::pipe();
        questions.cmd("CLUSTER").arg("SLOTS");
        questions.cmd("CLUSTER").arg("NODES");
        let answers = connection.send(&questions).await?;
        let [slots, nodes] =
            <[RespValue; 2]>::try_from(answers).map_err(|_| Cause::Protocol(NOT_REDIS))?;
        let claims = match &slots {
            RespValue::Array(slots) => slots.iter().filter_map(|it| Claim::read(it, endpoint)),
            RespValue::ServerError(error) if error.code() == "ERR" => {
                return Err(Cause::Topology(NOT_CLUSTERED));
            }
            RespValue::ServerError(error) => return Err(refusal(error, access).into()),
            _ => return Err(Cause::Protocol(NOT_REDIS)),
        };
        let claims: Vec<_> = claims.collect();
        if claims.is_empty() {
            return Err(Cause::Topology("no node of the cluster serves any slot"));
        }
        Ok(Self { claims, epochs: epochs(&nodes) })
    }
}

const NOT_REDIS: &str = "not a Redis server";
const NOT_CLUSTERED: &str =
    "not a cluster (cluster support is disabled there): write `redis://` for a single server";

impl Claim {
    /// One range of `CLUSTER SLOTS`: `[first, last, [host, port, id, …], replica…]`.
    fn read(range: &RespValue, asked: &Endpoint) -> Option<Self> {
        let [RespValue::Int(first), RespValue::Int(last), RespValue::Array(primary), ..] =
            array(range)?
        else {
            return None;
        };
        let [host, RespValue::Int(port), more @ ..] = &primary[..] else { return None };
        let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
        let host = match (host.text(), more) {
            // Its name is not known, or to be kept to itself; then its address is said here.
            (Some("?") | None, [_, RespValue::Array(extra), ..]) => {
                address(extra).unwrap_or_default()
            }
            (host, _) => host.unwrap_or_default(),
        };
        let endpoint = announced(host, u16::try_from(*port).ok()?, asked)?;
        let id = more.first().and_then(RespValue::text).unwrap_or_default().to_owned();
        Some(Self { first, last, endpoint, id })
    }
}

/// The value of `ip` in `[name, value, …]`.
fn address(extra: &[RespValue]) -> Option<&str> {
    let mut pairs = extra.chunks_exact(2);
    pairs.find_map(|pair| if pair[0].text()? == "ip" { pair[1].text() } else { None })
}

/// From the lines of `CLUSTER NODES`: `id address flags primary ping pong epoch state slot…`. Where
/// the user may not ask for them there are none.
fn epochs(nodes: &RespValue) -> HashMap<String, u64> {
    let lines = nodes.text().unwrap_or_default().lines();
    let epoch = |line: &str| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.nth(5)?.parse().ok()?))
    };
    lines.filter_map(epoch).collect()
}

fn array(value: &RespValue) -> Option<&[RespValue]> {
    match value {
        RespValue::Array(values) => Some(values),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> RespValue {
        RespValue::BulkString(text.to_owned().into())
    }

    fn range(primary: Vec<RespValue>) -> RespValue {
        let replica = RespValue::Array(vec![bulk("10.0.0.9"), RespValue::Int(6379), bulk("r")]);
        RespValue::Array(vec![
            RespValue::Int(0),
            RespValue::Int(99),
            RespValue::Array(primary),
            replica,
        ])
    }

    fn endpoint(primary: Vec<RespValue>) -> Option<Endpoint> {
        let asked = Endpoint::Tcp { host: "asked".to_owned(), port: 1 };
        Claim::read(&range(primary), &asked).map(|claim| claim.endpoint)
    }

    fn at(host: &str) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port: 6380 }
    }

    #[test]
    fn nodes_are_where_they_say() {
        let port = RespValue::Int(6380);
        let primary = |host| vec![host, port.clone(), bulk("id")];
        assert_eq!(endpoint(primary(bulk("10.0.0.1"))), Some(at("10.0.0.1")));
        assert_eq!(endpoint(primary(bulk("fd00::1"))), Some(at("fd00::1")));
        assert_eq!(endpoint(primary(bulk(""))), Some(at("asked")));
        assert_eq!(endpoint(primary(RespValue::Nil)), Some(at("asked")));
        assert_eq!(endpoint(vec![bulk("old.server"), port.clone()]), Some(at("old.server")));
        let extra = RespValue::Array(vec![bulk("ip"), bulk("10.0.0.1")]);
        assert_eq!(
            endpoint(vec![bulk("?"), port.clone(), bulk("id"), extra]),
            Some(at("10.0.0.1"))
        );
        assert_eq!(endpoint(primary(bulk("?"))), None);
        assert_eq!(endpoint(vec![bulk("10.0.0.1"), RespValue::Int(0), bulk("id")]), None);
    }

    #[test]
    fn epochs_come_from_the_list_of_nodes() {
        let nodes = "07c3 10.0.0.1:6379@16379,host myself,master - 0 0 3 connected 0-99 [5->-1b2]\n\
                     1b2d 10.0.0.2:6379@16379 slave 07c3 0 1426238317741 2 connected\n";
        let expected = HashMap::from([("07c3".to_owned(), 3), ("1b2d".to_owned(), 2)]);
        assert_eq!(epochs(&bulk(nodes)), expected);
        assert_eq!(epochs(&RespValue::Nil), HashMap::new());
    }
}
