//! Sockets of any kind.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, tcp};
#[cfg(unix)]
use tokio::net::{UnixStream, unix};

/// What bytes come and go by, other than a socket of the kernel.
pub(in crate::store) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A socket of one kind or another.
pub(in crate::store) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// TLS, or the pipe of a test.
    #[cfg_attr(
        not(any(test, feature = "tls")),
        expect(dead_code, reason = "there is no other kind without TLS")
    )]
    Stream(Box<dyn Stream>),
}

pub(super) enum Reader {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
    Stream(ReadHalf<Box<dyn Stream>>),
}

pub(super) enum Writer {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
    Stream(WriteHalf<Box<dyn Stream>>),
}

impl Socket {
    pub(super) fn split(self) -> (Reader, Writer) {
        match self {
            Self::Tcp(stream) => {
                let (reader, writer) = stream.into_split();
                (Reader::Tcp(reader), Writer::Tcp(writer))
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                let (reader, writer) = stream.into_split();
                (Reader::Unix(reader), Writer::Unix(writer))
            }
            Self::Stream(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                (Reader::Stream(reader), Writer::Stream(writer))
            }
        }
    }
}

impl Reader {
    /// Reads what has arrived into the room that `input` has. 0: the other side has closed.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(reader) => pin!(reader.read_buf(input)).poll(cx),
            #[cfg(unix)]
            Self::Unix(reader) => pin!(reader.read_buf(input)).poll(cx),
            Self::Stream(reader) => pin!(reader.read_buf(input)).poll(cx),
        }
    }
}

impl Writer {
    /// Writes what the kernel takes at once, on whatever thread or runtime.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(writer) => writer.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(writer) => writer.try_write(bytes),
            Self::Stream(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(writer) => Pin::new(writer).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(writer) => Pin::new(writer).poll_write(cx, bytes),
            Self::Stream(writer) => Pin::new(writer).poll_write(cx, bytes),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Stream(writer) => Pin::new(writer).poll_flush(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Whether what was written may not have reached the kernel.
    pub(super) fn has_buffer(&self) -> bool {
        matches!(self, Self::Stream(_))
    }
}
