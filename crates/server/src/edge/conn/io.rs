//! A socket that tells the [`Watch`] what passes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::Watch;

/// A connection whose end can throw away what the other side has not taken yet.
pub(in crate::edge) trait Reset {
    /// Closing it resets it from now on.
    fn reset_when_closed(&self);
}

impl Reset for TcpStream {
    fn reset_when_closed(&self) {
        // A socket that does not take it is closed as any other.
        let _kept = self.set_zero_linger();
    }
}

impl Reset for TlsStream<TcpStream> {
    fn reset_when_closed(&self) {
        self.get_ref().0.reset_when_closed();
    }
}

/// See the module. Above TLS, so that it sees HTTP.
pub(super) struct WatchedIo<I: Reset> {
    inner: I,
    watch: Arc<Watch>,
}

impl<I: Reset> WatchedIo<I> {
    pub(super) fn new(inner: I, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }
}

impl<I: Reset> Drop for WatchedIo<I> {
    fn drop(&mut self) {
        if self.watch.is_to_be_reset() {
            self.inner.reset_when_closed();
        }
    }
}

impl<I: AsyncRead + Reset + Unpin> AsyncRead for WatchedIo<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        match buf.filled().get(before..) {
            Some(bytes) if !bytes.is_empty() => self.watch.received(bytes),
            _ => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Reset + Unpin> AsyncWrite for WatchedIo<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watch.write_blocked(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.watch.write_blocked(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        // A flush that is done says nothing of a write that was refused before it.
        if flushed.is_pending() {
            self.watch.write_blocked(true);
        }
        flushed
    }

    /// Says that we are done, and then reads on for a while if the client may still be sending: closing a socket with
    /// unread bytes resets it, and the reset would overtake our answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        if !self.watch.lingers() {
            return Poll::Ready(Ok(()));
        }
        let mut discard = [0_u8; 8 * 1024];
        loop {
            let mut buf = ReadBuf::new(&mut discard);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
