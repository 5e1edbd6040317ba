//! An HTTP server on loopback that gives the answers it is told to, and remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    io::Read,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// By lower-case name.
    pub headers: HashMap<String, String>,
    /// Unpacked where it came gzipped.
    pub body: Vec<u8>,
}

impl Request {
    /// A header's value, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Status, headers and body.
    Http(u16, Vec<(&'static str, String)>, String),
    /// The connection is reset when the request has been read.
    Reset,
    /// Nothing comes, and the connection stays open.
    Silence,
}

impl Answer {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self::Http(status, Vec::new(), String::new())
    }

    /// The same with one header more.
    pub fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Http(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Http(status, headers, body)
            }
            other => other,
        }
    }

    /// The same with another body.
    pub fn body(self, body: &str) -> Self {
        match self {
            Self::Http(status, headers, _) => Self::Http(status, headers, body.to_owned()),
            other => other,
        }
    }
}

type Answering = Box<dyn FnMut(&Request) -> Answer + Send>;

/// The server; it ends when it is dropped.
pub struct Canned {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    accepting: JoinHandle<()>,
}

impl Canned {
    /// Gives `answers` one after the other; 501 when there is none left.
    pub async fn queue(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        Self::answering(move |_| answers.pop_front().unwrap_or_else(|| Answer::status(501))).await
    }

    /// Gives what `answer` says to each request.
    pub async fn answering(answer: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("the listener has an address"));
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let answer = Arc::new(Mutex::new(Box::new(answer) as Answering));
        let seen = Arc::clone(&requests);
        let accepting = tokio::spawn(async move {
            // The connections end with this task, so that none outlives the server.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { url, requests, accepting }
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panicked").clone()
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, answer: Arc<Mutex<Answering>>, seen: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        seen.lock().expect("no test panicked").push(request.clone());
        let next = (answer.lock().expect("no test panicked"))(&request);
        match next {
            Answer::Http(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} Canned\r\n");
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                if status != 204 {
                    head += &format!("content-length: {}\r\n", body.len());
                }
                if stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.is_err() {
                    return;
                }
            }
            Answer::Reset => {
                stream.get_ref().set_zero_linger().expect("loopback has a linger time");
                return;
            }
            Answer::Silence => std::future::pending().await,
        }
    }
}

/// The next request with a `Content-Length` or without a body; `None` when the client hung up.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("the head is text");
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length is a number"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked).expect("the body is gzip");
        body = unpacked;
    }
    Some(Request { method, target, headers, body })
}
