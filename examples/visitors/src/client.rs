//! As much of an HTTP client as it takes to ask a service: one connection that is kept.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// With what follows a `?`.
    pub path: String,
    /// Who asks.
    pub viewer: Option<i64>,
    /// Whether nothing that is cached will do.
    pub no_cache: bool,
    /// Text, or JSON.
    pub body: String,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &'static str, path: impl Into<String>, viewer: Option<i64>) -> Self {
        Self { method, path: path.into(), viewer, no_cache: false, body: String::new() }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.viewer.map_or_else(String::new, |viewer| format!(" (user {viewer})"));
        f.pad(&format!("{} {}{who}", self.method, self.path))
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// 200 where all is well.
    pub status: u16,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header whose name is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The value of an answer with status 200.
    ///
    /// # Errors
    ///
    /// If the status or the JSON is another.
    pub fn json<T: DeserializeOwned>(&self) -> io::Result<T> {
        match self.status {
            200 => Ok(serde_json::from_slice(&self.body)?),
            status => Err(io::Error::other(format!("the answer has status {status}"))),
        }
    }
}

/// A connection to the service.
#[derive(Debug)]
pub struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects.
    ///
    /// # Cancel safety
    ///
    /// When dropped, nothing remains.
    ///
    /// # Errors
    ///
    /// Of the network.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the connection cannot be used any more, and the request may be carried out.
    ///
    /// # Errors
    ///
    /// Of the network, and if the answer is no HTTP.
    pub async fn send(&mut self, request: &Request) -> io::Result<Response> {
        let Request { method, path, viewer, no_cache, body } = request;
        let viewer = viewer.map_or_else(String::new, |viewer| format!("viewer: {viewer}\r\n"));
        let cached = if *no_cache { "cache-control: no-cache\r\n" } else { "" };
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{viewer}{cached}\
                content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.0.write_all(text.as_bytes()).await?;

        let status = self.line().await?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("the answer has no status"))?;
        let mut headers = Vec::new();
        while let Some((name, value)) = self.line().await?.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Response { status, headers, body: Vec::new() };
        if let Some(length) = response.header("content-length") {
            let length = length.parse().map_err(io::Error::other)?;
            response.body.resize(length, 0);
            self.0.read_exact(&mut response.body).await?;
        }
        Ok(response)
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
