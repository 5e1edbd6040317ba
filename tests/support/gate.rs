//! A port that can be shut: a TCP relay whose listener goes away, so that connections are refused.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// A relay from its own port to another one on loopback.
pub struct Gate {
    port: u16,
    behind: u16,
    relay: JoinHandle<()>,
}

impl Gate {
    /// Opens a gate on a free port.
    pub async fn open(behind: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { port, behind, relay: tokio::spawn(relay(listener, behind)) }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection, and refuses new ones.
    pub fn shut(&mut self) {
        self.relay.abort();
    }

    /// Listens again, on the same port.
    pub fn reopen(&mut self) {
        let (port, behind) = (self.port, self.behind);
        self.relay = tokio::spawn(async move {
            loop {
                // A connection of somebody else may have the port for a moment.
                match TcpListener::bind(("127.0.0.1", port)).await {
                    Ok(listener) => return relay(listener, behind).await,
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                }
            }
        });
    }
}

async fn relay(listener: TcpListener, behind: u16) {
    // Aborted with the task.
    let mut connections = JoinSet::new();
    while let Ok((mut outer, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            outer.set_nodelay(true).ok();
            let Ok(mut inner) = TcpStream::connect(("127.0.0.1", behind)).await else { return };
            inner.set_nodelay(true).ok();
            // That either side ends it is how connections end.
            copy_bidirectional(&mut outer, &mut inner).await.ok();
        });
    }
}
