//! The way to Redis, which can be cut: a proxy in front of it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::serve::BoxError;

/// Ends with this value.
#[derive(Debug)]
pub(crate) struct Link {
    cut: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    url: Url,
}

impl Link {
    /// A link to the server that a URL names; none if it is not one server over plain TCP. Then
    /// there is nothing in between, and nothing to cut.
    pub(crate) async fn to(url: &str) -> Result<Option<Self>, BoxError> {
        let Some(mut url) = Url::parse(url).ok().filter(|url| url.scheme() == "redis") else {
            return Ok(None);
        };
        let Some(host) = url.host_str().filter(|host| !host.contains(',')) else {
            return Ok(None);
        };
        let target = format!("{host}:{}", url.port().unwrap_or(6379));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let SocketAddr::V4(here) = listener.local_addr()? else { return Ok(None) };
        url.set_host(Some(&here.ip().to_string()))?;
        url.set_port(Some(here.port())).map_err(|()| "a URL with a host has a port")?;
        let cut = watch::Sender::new(false);
        let accepting = tokio::spawn(accept(listener, target, cut.subscribe()));
        Ok(Some(Self { cut, accepting, url }))
    }

    /// Where to connect.
    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Ends all connections and accepts no more, or accepts them again.
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }

    pub(crate) fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: String, cut: watch::Receiver<bool>) {
    loop {
        // An error is of one connection, or of too many: the next may do.
        let Ok((client, _)) = listener.accept().await else { continue };
        // Whoever connects while it is cut is sent away at once.
        if !*cut.borrow() {
            tokio::spawn(pass(client, target.clone(), cut.clone()));
        }
    }
}

async fn pass(mut client: TcpStream, target: String, mut cut: watch::Receiver<bool>) {
    let passing = async {
        let mut server = TcpStream::connect(target).await?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        copy_bidirectional(&mut client, &mut server).await?;
        io::Result::Ok(())
    };
    tokio::select! {
        // Either side has ended, which the other sees.
        _ = passing => {}
        _ = cut.wait_for(|cut| *cut) => {}
    }
}
