//! The wire as the Functions host uses it: plain HTTP/1.1 over one kept connection, bodies in chunks.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The host writes bodies in pieces of at most this many bytes.
const CHUNK: usize = 1024;

/// After this long a test is stuck, and fails.
const STUCK: Duration = Duration::from_secs(60);

/// Waits for what is to come without fail.
pub async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(STUCK, what).await.expect("stuck")
}

/// One answer as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A connection from the host to the handler.
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub async fn open(to: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(to).await.unwrap(), unread: Vec::new() }
    }

    /// Sends a request as it is.
    pub async fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.unwrap();
    }

    /// Sends a request and waits for its answer.
    pub async fn ask(&mut self, request: &[u8]) -> Reply {
        self.send(request).await;
        self.reply().await
    }

    /// The next answer.
    pub async fn reply(&mut self) -> Reply {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            self.more().await;
        };
        let head = String::from_utf8(self.unread.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().into()));
        let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
        let length: usize = headers["content-length"].parse().unwrap();
        while self.unread.len() < length {
            self.more().await;
        }
        Reply { status, headers, body: self.unread.drain(..length).collect() }
    }

    /// Waits until the handler asks for the body of a request that said `Expect: 100-continue`.
    pub async fn body_is_wanted(&mut self) {
        while !self.unread.ends_with(b"\r\n\r\n") {
            self.more().await;
        }
        assert!(self.unread.drain(..).as_slice().starts_with(b"HTTP/1.1 100 "));
    }

    /// Whether the handler closed the connection with nothing left to read.
    pub async fn closed(&mut self) -> bool {
        let mut one = [0];
        let read = soon(self.stream.read(&mut one)).await;
        read.map_or(true, |count| count == 0)
    }

    async fn more(&mut self) {
        let read = soon(self.stream.read_buf(&mut self.unread)).await.unwrap();
        assert!(read > 0, "the connection ended within an answer: {:?}", String::from_utf8_lossy(&self.unread));
    }
}

/// A timer's request with the host's headers and `body` in chunks.
pub fn timer_pull(invocation_id: &str, body: &[u8]) -> Vec<u8> {
    request("POST", "/TimerPull", invocation_id, body)
}

/// Any request with the host's headers and `body` in chunks.
pub fn request(method: &str, path: &str, invocation_id: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:39781\r\nX-Azure-Functions-HostVersion: 4.1037.0.0\r\n\
         X-Azure-Functions-InvocationId: {invocation_id}\r\nUser-Agent: Azure-Functions-Host/4.1037.0.0\r\n\
         traceparent: 00-bb2bd5eef54cb15a1506d0326d2489e7-d3f54c84c7034d76-00\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/json; charset=utf-8\r\n\r\n"
    )
    .into_bytes();
    for piece in body.chunks(CHUNK) {
        request.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
        request.extend_from_slice(piece);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}
