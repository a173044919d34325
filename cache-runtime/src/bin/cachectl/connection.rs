//! Which server is meant, and how to get in.

use std::env;
use std::time::Duration;

use cache_runtime::Cache;
use clap::Args;

use crate::failure::Failure;

const URL: &str = "CACHE_URL";
const NAMESPACE: &str = "CACHE_NAMESPACE";
const PASSWORD: &str = "CACHE_PASSWORD";

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Where the servers are; without it `CACHE_URL`, else `redis://127.0.0.1`
    ///
    /// `redis://host:port/db`, `rediss://` for TLS, `redis+unix:///path`,
    /// `redis+cluster://host,host` or `redis+sentinel://host,host/primary`; with a user
    /// `redis://ada:@host`. The password comes from the environment, as `CACHE_PASSWORD` or in
    /// `CACHE_URL`.
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,

    /// The namespace of the service's cache; without it `CACHE_NAMESPACE`, else none
    #[arg(long, global = true, value_name = "NAME")]
    namespace: Option<String>,

    /// How many seconds to wait for an answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 5)]
    timeout: u16,
}

impl Connection {
    /// A cache with these servers. Nothing is connected yet.
    pub(crate) fn cache(self) -> Result<Cache, Failure> {
        if self.url.as_deref().is_some_and(has_password) {
            return Err(Failure::Usage(format!(
                "everybody on this machine can see a password in `--url`: put it into the \
                 environment, as {PASSWORD}"
            )));
        }
        let url = self.url.or_else(|| env::var(URL).ok());
        let url = url.unwrap_or_else(|| "redis://127.0.0.1".to_owned());
        if url == "memory:" {
            return Err(Failure::Usage(
                "`memory:` is the memory of the service's own process, which nobody can look into \
                 from here"
                    .to_owned(),
            ));
        }
        let namespace = self.namespace.or_else(|| env::var(NAMESPACE).ok());
        Cache::builder()
            .namespace(namespace.unwrap_or_default())
            .password(env::var(PASSWORD).unwrap_or_default())
            .client_name("cachectl")
            .budget(Duration::from_secs(self.timeout.max(1).into()))
            .connect(&url)
            .map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Whether a URL has a password, or what could be one.
fn has_password(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let login = rest.rsplit_once('@').map(|(login, _)| login);
    login.and_then(|login| login.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}
