//! Connections that can be cut on purpose.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

// A new wire is 0: sound.
const CUT_AFTER_FLUSH: u8 = 1;
const CUT: u8 = 2;

/// One connection: cuts it, and knows whether it was used. A clone is of the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(Arc<Line>);

#[derive(Debug, Default)]
struct Line {
    state: AtomicU8,
    used: AtomicBool,
}

impl Wire {
    /// From now on nothing goes through; the peer gets a TCP reset.
    pub fn cut(&self) {
        self.0.state.store(CUT, Ordering::SeqCst);
    }

    /// The same, as soon as everything written so far is out.
    pub fn cut_after_flush(&self) {
        self.0.state.store(CUT_AFTER_FLUSH, Ordering::SeqCst);
    }

    /// Whether nothing goes through any more.
    pub fn is_cut(&self) -> bool {
        self.state() == CUT
    }

    /// Whether the request at hand is the first to come over it. It is told once.
    pub fn is_fresh(&self) -> bool {
        !self.0.used.swap(true, Ordering::SeqCst)
    }

    fn state(&self) -> u8 {
        self.0.state.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Self {
        stream.io().wire.clone()
    }
}

/// A listener whose connections have a [`Wire`] each.
#[derive(Debug)]
pub(crate) struct Cuttable(pub TcpListener);

impl Listener for Cuttable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Without it small answers wait for the acknowledgement of the one before; failing leaves them slow.
        drop(stream.set_nodelay(true));
        (Connection { stream, wire: Wire::default() }, peer)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that stops working when its [`Wire`] is cut.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    wire: Wire,
}

impl Connection {
    pub const fn wire(&self) -> &Wire {
        &self.wire
    }

    fn check(&self) -> io::Result<()> {
        if self.wire.state() == CUT {
            // Closing with unsent data thrown away is what makes a reset of it.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check()?;
        Pin::new(&mut this.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check()?;
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check()?;
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        if flushed.is_ready() && this.wire.state() == CUT_AFTER_FLUSH {
            this.wire.cut();
            this.check()?;
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check()?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
