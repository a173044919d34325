//! Servers and links that no real server can be made to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A link to a server, whose connections can be made to swallow everything while new ones work.
pub(super) struct Link {
    pub(super) port: u16,
    pub(super) accepted: Arc<AtomicUsize>,
    /// Connections numbered below this swallow everything.
    swallow_below: Arc<AtomicUsize>,
}

impl Link {
    pub(super) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (accepted, swallow_below) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (count, limit) = (Arc::clone(&accepted), Arc::clone(&swallow_below));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(pass(near, server, number, Arc::clone(&limit)));
            }
        });
        Self { port, accepted, swallow_below }
    }

    /// From now on the present connections swallow everything.
    pub(super) fn swallow(&self) {
        self.swallow_below.store(self.accepted.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn pass(mut near: TcpStream, server: u16, number: usize, swallow_below: Arc<AtomicUsize>) {
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let mut request = [0; 4096];
    let mut reply = [0; 4096];
    loop {
        let swallowed = || number < swallow_below.load(Ordering::SeqCst);
        tokio::select! {
            read = near.read(&mut request) => match read {
                Ok(length @ 1..) if swallowed() => _ = length,
                Ok(length @ 1..) if far.write_all(&request[..length]).await.is_ok() => {}
                _ => return,
            },
            read = far.read(&mut reply) => match read {
                Ok(length @ 1..) if swallowed() => _ = length,
                Ok(length @ 1..) if near.write_all(&reply[..length]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}

/// A server that answers every command with what `answer` makes of it.
pub(super) async fn serve(answer: impl Fn(&[String]) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, Arc::clone(&answer)));
        }
    });
    port
}

async fn converse(mut stream: TcpStream, answer: Arc<impl Fn(&[String]) -> Vec<u8>>) {
    let mut received = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut received).await {
        while let Some((command, length)) = command(&received) {
            received.drain(..length);
            if stream.write_all(&answer(&command)).await.is_err() {
                return;
            }
        }
    }
}

/// The first command in the bytes, if all of it has arrived, and its length.
fn command(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    let mut at = 0;
    let mut line = |length: Option<usize>| {
        let rest = bytes.get(at..)?;
        let length = length.or_else(|| rest.windows(2).position(|pair| pair == b"\r\n"))?;
        let line = rest.get(..length)?;
        rest.get(length..length + 2)?;
        at += length + 2;
        Some(String::from_utf8_lossy(line).into_owned())
    };
    let count = line(None)?.trim_start_matches('*').parse().ok()?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = line(None)?.trim_start_matches('$').parse().ok()?;
        words.push(line(Some(length))?);
    }
    Some((words, at))
}
