//! A proxy on loopback that loses an answer when it is told to: the request arrives and is served, and its answer
//! breaks off on the way back.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A proxy to one port. It ends with the test's runtime.
pub struct Lossy {
    port: u16,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan {
    /// How many bytes of the next answer still pass.
    next: Mutex<Option<usize>>,
    lost: AtomicUsize,
}

impl Lossy {
    /// Stands before `upstream` of this machine.
    pub async fn before(upstream: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(Plan::default());
        let shared = Arc::clone(&plan);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { port, plan }
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The next answer breaks off after its first `bytes`.
    pub fn lose_next_answer_after(&self, bytes: usize) {
        *self.plan.next.lock().unwrap() = Some(bytes);
    }

    /// How many answers were lost so far.
    pub fn lost(&self) -> usize {
        self.plan.lost.load(Ordering::SeqCst)
    }
}

/// Passes bytes both ways until either side closes or an answer is to be lost.
async fn pass(client: TcpStream, server: TcpStream, plan: Arc<Plan>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 16 * 1024];
    let mut left = None;
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        left = left.or_else(|| plan.next.lock().unwrap().take());
        let passed = left.map_or(read, |left| read.min(left));
        if to_client.write_all(&buffer[..passed]).await.is_err() {
            break;
        }
        if let Some(left) = &mut left {
            *left -= passed;
            if *left == 0 {
                plan.lost.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
    }
    requests.abort(); // both halves of the client's connection close
}
