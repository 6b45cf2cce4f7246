//! A connection that can be cut from elsewhere, whatever is under way on it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Cuts what was made with it. Clones are the same one.
#[derive(Clone)]
pub(super) struct Cut(Arc<watch::Sender<bool>>);

impl Cut {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Now, and for good.
    pub(super) fn cut(&self) {
        self.0.send_replace(true);
    }

    fn is_cut(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is cut.
    pub(super) fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut cut = self.0.subscribe();
        // The sender is kept, so that nothing else can end the wait.
        let kept = self.clone();
        async move {
            let _it_is = cut.wait_for(|cut| *cut).await.is_ok();
            drop(kept);
        }
    }
}

/// Cuts when it is dropped.
pub(super) struct CutOnDrop(pub(super) Cut);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// A socket that fails once it is cut, and then resets the connection: what is on its way to the other side is lost, in our buffers
/// and in theirs. Who only stops writing would leave a slow reader much to read.
pub(super) struct Line {
    stream: TcpStream,
    cut: Cut,
    /// One for each direction, as they may be polled by two tasks.
    reading: Pin<Box<dyn Future<Output = ()> + Send>>,
    writing: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Line {
    pub(super) fn new(stream: TcpStream, cut: Cut) -> Self {
        let (reading, writing) = (Box::pin(cut.wait()), Box::pin(cut.wait()));
        Self { stream, cut, reading, writing }
    }

    /// Whether it is cut; if not, the task is woken when it is.
    fn check(
        cut: &Cut,
        wait: &mut Pin<Box<dyn Future<Output = ()> + Send>>,
        cx: &mut Context<'_>,
    ) -> io::Result<()> {
        if cut.is_cut() || wait.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.cut.is_cut() {
            // A socket that does not take it is closed as any other.
            let _kept = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        Self::check(&this.cut, &mut this.reading, cx)?;
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        Self::check(&this.cut, &mut this.writing, cx)?;
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        Self::check(&this.cut, &mut this.writing, cx)?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn both_directions_end_and_the_other_side_is_reset() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let cut = Cut::new();
        let line = Line::new(listener.accept().await.unwrap().0, cut.clone());
        let (mut reads, mut writes) = tokio::io::split(line);
        writes.write_all(b"first").await.unwrap();
        let mut first = [0; 5];
        far.read_exact(&mut first).await.unwrap();
        let reading = tokio::spawn(async move {
            let mut one = [0];
            reads.read_exact(&mut one).await.unwrap_err().kind()
        });
        // More than any buffer takes, to somebody who reads nothing.
        let writing = tokio::spawn(async move {
            let much = vec![0; 64 << 20];
            writes.write_all(&much).await.unwrap_err().kind()
        });
        tokio::task::yield_now().await;
        assert!(!reading.is_finished() && !writing.is_finished());
        cut.cut();
        assert_eq!(reading.await.unwrap(), io::ErrorKind::ConnectionReset);
        assert_eq!(writing.await.unwrap(), io::ErrorKind::ConnectionReset);
        let mut rest = Vec::new();
        assert_eq!(far.read_to_end(&mut rest).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
