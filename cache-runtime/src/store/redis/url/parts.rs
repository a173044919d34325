//! The parts of a URL after its scheme.

use std::path::PathBuf;

use crate::store::redis::url::{Endpoint, Malformed, PORT, SCHEMES, malformed, percent};

/// A URL after its scheme, taken apart but not yet decoded.
pub(super) struct Parts<'a> {
    login: Option<&'a str>,
    hosts: &'a str,
    pub(super) path: &'a str,
    /// The value of `?db=`.
    db: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn split(rest: &'a str) -> Result<Self, Malformed> {
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

    pub(super) fn login(&self) -> Result<(Option<String>, Option<String>), Malformed> {
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

    pub(super) fn hosts(&self, default_port: u16) -> Result<Vec<Endpoint>, Malformed> {
        self.hosts.split(',').map(|host| endpoint(host, default_port)).collect()
    }

    pub(super) fn one_host(&self) -> Result<Endpoint, Malformed> {
        if self.hosts.contains(',') {
            return malformed(
                "several hosts: write `redis+cluster://` or `redis+sentinel://`, or percent-encode \
                    the password",
            );
        }
        endpoint(self.hosts, PORT)
    }

    pub(super) fn socket(&self) -> Result<Endpoint, Malformed> {
        if !self.hosts.is_empty() || self.path.is_empty() {
            return malformed("a socket is an absolute path: write `redis+unix:///run/redis.sock`");
        }
        Ok(Endpoint::Unix(PathBuf::from(format!("/{}", decode(self.path)?))))
    }

    /// The database, from the path or from `?db=`.
    pub(super) fn database(&self, path: &str) -> Result<u32, Malformed> {
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

    pub(super) fn no_database(&self) -> Result<u32, Malformed> {
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

pub(super) fn decode(text: &str) -> Result<String, Malformed> {
    percent::decode(text).ok_or_else(|| {
        Malformed::new("a `%` begins two hexadecimal digits; write `%` itself as `%25`")
    })
}
