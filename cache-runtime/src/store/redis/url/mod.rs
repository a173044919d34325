//! Parsing of URLs.
//!
//! `scheme://[[user]:[password]@]host[:port][,host[:port]…][/path]`, with the schemes of
//! [`SCHEMES`]. No error message quotes any part of a URL: if a password contains a character that
//! should have been percent-encoded, it may have ended up in any part.

mod parts;
mod percent;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use self::parts::{Parts, decode};

const SCHEMES: &str = "`redis://host`, `redis+unix:///path`, `redis+cluster://host,host` or \
     `redis+sentinel://host,host/master`, with `rediss` instead of `redis` for TLS";
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Everything that a connection URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) topology: Topology,
    pub(crate) access: Access,
}

/// Which servers there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// One server, or whatever is behind one address.
    Single(Endpoint),
    /// A cluster, by some of its nodes.
    Cluster(Vec<Endpoint>),
    /// The primary called `master`, found by asking the sentinels.
    Sentinel { sentinels: Vec<Endpoint>, master: String },
}

/// Address of one server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

/// How to get in: the same for every server of a URL.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: u32,
    pub(crate) tls: bool,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Without credentials.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list =
            |all: &[Endpoint]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let Access { database, tls, .. } = &self.access;
        f.write_str(if *tls { "rediss" } else { "redis" })?;
        match &self.topology {
            Topology::Single(Endpoint::Unix(path)) => {
                write!(f, "+unix://{}?db={database}", path.display())
            }
            Topology::Single(endpoint) => write!(f, "://{endpoint}/{database}"),
            Topology::Cluster(seeds) => write!(f, "+cluster://{}", list(seeds)),
            Topology::Sentinel { sentinels, master } => {
                write!(f, "+sentinel://{}/{master}/{database}", list(sentinels))
            }
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = |secret: &Option<String>| secret.as_ref().map(|_| "…");
        f.debug_struct("Access")
            .field("user", &redacted(&self.user))
            .field("password", &redacted(&self.password))
            .field("database", &self.database)
            .field("tls", &self.tls)
            .finish()
    }
}

/// What is wrong with a URL, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(String);

impl Malformed {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

fn malformed<T>(message: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed::new(message))
}

impl ServerUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, Malformed> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return malformed(format!("not a URL; write {SCHEMES}"));
        };
        let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match base {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return malformed(format!("unknown scheme; write {SCHEMES}")),
        };
        if tls && cfg!(not(feature = "tls")) {
            return malformed("TLS needs the feature `tls` of `cache-runtime`");
        }

        let parts = Parts::split(rest)?;
        let (topology, database) = match kind {
            "" => (Topology::Single(parts.one_host()?), parts.database(parts.path)?),
            "unix" if tls => {
                return malformed("there is no TLS over a Unix socket: write `redis+unix://`");
            }
            "unix" => (Topology::Single(parts.socket()?), parts.database("")?),
            "cluster" => (Topology::Cluster(parts.hosts(PORT)?), parts.no_database()?),
            "sentinel" => {
                let (master, database) = parts.path.split_once('/').unwrap_or((parts.path, ""));
                if master.is_empty() {
                    return malformed(
                        "the name of the primary is missing: write \
                            `redis+sentinel://host,host/master`",
                    );
                }
                let (sentinels, master) = (parts.hosts(SENTINEL_PORT)?, decode(master)?);
                (Topology::Sentinel { sentinels, master }, parts.database(database)?)
            }
            _ => return malformed(format!("unknown scheme; write {SCHEMES}")),
        };
        let (user, password) = parts.login()?;
        Ok(Self { topology, access: Access { user, password, database, tls } })
    }
}
