//! Parsing of URLs.
//!
//! `scheme://[[user]:[password]@]host[:port][,host[:port]…][/path]`, with the schemes of
//! [`SCHEMES`]. No error message quotes any part of a URL: if a password contains a character that
//! should have been percent-encoded, it may have ended up in any part.

mod percent;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

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

/// A URL after its scheme, taken apart but not yet decoded.
struct Parts<'a> {
    login: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    /// The value of `?db=`.
    db: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(rest: &'a str) -> Result<Self, Malformed> {
        if rest.contains('#') {
            return malformed("a `#` has no meaning here; in a password write `%23`");
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let db = match query.map(|query| query.split_once('=')) {
            None => None,
            Some(Some(("db", number))) => Some(number),
            Some(_) => {
                return malformed(
                    "the only parameter is `?db=<number>`; in a password write `?` as `%3F`",
                );
            }
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        Ok(Self { login, hosts, path, db })
    }

    fn login(&self) -> Result<(Option<String>, Option<String>), Malformed> {
        let Some(login) = self.login else {
            return Ok((None, None));
        };
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decode(password)?)),
            None => (login, None),
        };
        match (decode(user)?, password) {
            // Neither is given, so nobody logs in: a server without a password refuses an empty
            // one.
            (user, None) if user.is_empty() => Ok((None, None)),
            (user, Some(password)) if user.is_empty() => {
                Ok((None, Some(password).filter(|password| !password.is_empty())))
            }
            // An empty password is sent: without one, the connection would be that of the user
            // `default`.
            (user, Some(password)) => Ok((Some(user), Some(password))),
            (_, None) => malformed(
                "what stands before `@` could be a user or a password: write `user:password@host`, \
                 `user:@host` for a user without a password, or `:password@host`",
            ),
        }
    }

    fn hosts(&self, default_port: u16) -> Result<Vec<Endpoint>, Malformed> {
        self.hosts.split(',').map(|host| endpoint(host, default_port)).collect()
    }

    fn one_host(&self) -> Result<Endpoint, Malformed> {
        if self.hosts.contains(',') {
            return malformed(
                "several hosts: write `redis+cluster://` or `redis+sentinel://`, or percent-encode \
                    the password",
            );
        }
        endpoint(self.hosts, PORT)
    }

    fn socket(&self) -> Result<Endpoint, Malformed> {
        if !self.hosts.is_empty() || self.path.is_empty() {
            return malformed("a socket is an absolute path: write `redis+unix:///run/redis.sock`");
        }
        Ok(Endpoint::Unix(PathBuf::from(format!("/{}", decode(self.path)?))))
    }

    /// The database, from the path or from `?db=`.
    fn database(&self, path: &str) -> Result<u32, Malformed> {
        match (path, self.db) {
            ("", None) => Ok(0),
            ("", Some(number)) | (number, None) => number.parse().or_else(|_| {
                malformed(
                    "what follows the host is the number of a database, as in \
                    `redis://host/0`; in a password write `/` as `%2F`",
                )
            }),
            _ => malformed(
                "the database is given twice: write either `/<number>` or \
                `?db=<number>`",
            ),
        }
    }

    fn no_database(&self) -> Result<u32, Malformed> {
        match self.database(self.path)? {
            0 => Ok(0),
            _ => malformed("a cluster has no databases but 0: write `redis+cluster://host,host`"),
        }
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn endpoint(text: &str, default_port: u16) -> Result<Endpoint, Malformed> {
    let (host, port) = match text.strip_prefix('[').map(|text| text.split_once(']')) {
        Some(Some((host, ""))) => (host, None),
        Some(Some((host, port))) => match port.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None => return malformed("after `[address]` only `:port` may follow"),
        },
        Some(None) => return malformed("an IPv6 address is written `[::1]`"),
        None => match text.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return malformed(
                    "an IPv6 address is written `[::1]`; in a password write `:` as `%3A`",
                );
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return malformed(format!("the host is missing; write {SCHEMES}"));
    }
    let port = match port.map(str::parse) {
        None => default_port,
        Some(Ok(port)) if port != 0 => port,
        Some(_) => {
            return malformed(
                "a port is a number from 1 to 65535; in a password write `/` as `%2F` and `@` as \
                    `%40`",
            );
        }
    };
    Ok(Endpoint::Tcp { host: decode(host)?, port })
}

fn decode(text: &str) -> Result<String, Malformed> {
    percent::decode(text).ok_or_else(|| {
        Malformed::new("a `%` begins two hexadecimal digits; write `%` itself as `%25`")
    })
}
