//! A server that answers by a script and notes what it was asked: one answer and one request a connection.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What follows the bytes of a reply.
#[derive(Clone, Copy)]
enum Ending {
    Close,
    Reset,
    Stall,
}

/// One scripted answer.
#[derive(Clone)]
pub struct Reply {
    head: String,
    body: Vec<u8>,
    /// What the head promises; `None` promises nothing.
    length: Option<usize>,
    ending: Ending,
}

impl Reply {
    /// An answer with a status.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = Some(body.len());
        Self { head: format!("HTTP/1.1 {status} Scripted\r\n"), body, length, ending: Ending::Close }
    }

    /// A success.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// A connection that ends without an answer.
    pub fn nothing() -> Self {
        Self { head: String::new(), body: Vec::new(), length: None, ending: Ending::Reset }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Sends only the first `sent` bytes of the body, then closes; the head promises all of it.
    pub fn cut(mut self, sent: usize) -> Self {
        self.body.truncate(sent);
        self
    }

    /// Resets the connection in place of closing it.
    pub fn reset(mut self) -> Self {
        self.ending = Ending::Reset;
        self
    }

    /// Sends nothing more and leaves the connection open until the client closes it.
    pub fn stall(mut self) -> Self {
        self.ending = Ending::Stall;
        self
    }

    /// Sends the body in chunks of 7 bytes; a body that was cut lacks the last chunk.
    pub fn chunked(mut self) -> Self {
        let whole = self.length == Some(self.body.len());
        let mut chunked = Vec::new();
        for chunk in self.body.chunks(7) {
            chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunked.extend_from_slice(chunk);
            chunked.extend_from_slice(b"\r\n");
        }
        if whole {
            chunked.extend_from_slice(b"0\r\n\r\n");
        }
        (self.body, self.length) = (chunked, None);
        self.header("Transfer-Encoding", "chunked")
    }

    fn bytes(&self) -> Vec<u8> {
        if self.head.is_empty() {
            return Vec::new();
        }
        let length = self.length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
        let mut bytes = format!("{}{length}Connection: close\r\n\r\n", self.head).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method and target, `GET /x?y`.
    pub line: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The server, bound and not yet answering.
pub struct Script {
    listener: TcpListener,
    address: SocketAddr,
}

/// What a running script has seen.
#[derive(Clone)]
pub struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    pub fn requests(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|seen| seen.line).collect()
    }
}

impl Script {
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// `http://127.0.0.1:port`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives the replies in turn. A request beyond the last is noted and gets no answer.
    pub fn serve(self, replies: impl IntoIterator<Item = Reply>) -> Log {
        let log = Log(Arc::default());
        let noted = log.clone();
        let mut replies: std::collections::VecDeque<_> = replies.into_iter().collect();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = self.listener.accept().await.unwrap();
                let Some(seen) = request(&mut stream).await else { continue };
                noted.0.lock().unwrap().push(seen);
                let reply = replies.pop_front().unwrap_or_else(Reply::nothing);
                tokio::spawn(answer(stream, reply));
            }
        });
        log
    }

    /// Whether nobody has connected so far: the connection made here is then the first in the queue.
    pub async fn is_untouched(&self) -> bool {
        let own = TcpStream::connect(self.address).await.unwrap();
        let (_, first) = self.listener.accept().await.unwrap();
        first == own.local_addr().unwrap()
    }
}

/// Reads one request to the end of its head; the feed's requests have no body.
async fn request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(Seen { line, headers: lines.filter_map(header).collect() })
}

async fn answer(mut stream: TcpStream, reply: Reply) {
    // The client may be gone by now: that is its right.
    if stream.write_all(&reply.bytes()).await.is_err() {
        return;
    }
    match reply.ending {
        Ending::Close => drop(stream.shutdown().await),
        Ending::Reset => stream.set_zero_linger().unwrap(),
        Ending::Stall => {
            let mut rest = [0; 16];
            while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        }
    }
}
