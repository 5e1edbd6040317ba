//! The Functions host, as far as the connector sees it: it starts the real binary, waits for it, fires its timer, and
//! kills it.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::net::unix::pipe;

/// How long a run may take in a test before it is taken for hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// A handler process under the host.
pub struct Host {
    pub process: Child,
    port: u16,
    lines: Arc<Mutex<Vec<(Stream, String)>>>,
    /// Runs that were answered.
    runs: AtomicUsize,
}

/// Where a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// What a run was answered.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub body: Value,
}

impl Answered {
    /// The `Logs` of a run that went well.
    pub fn logs(&self) -> Vec<&str> {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["Logs"].as_array().expect("Logs").iter().map(|line| line.as_str().expect("a line")).collect()
    }
}

/// Ports that the system gives to nobody who asks for any: between the moment that one is found free and the moment that the
/// process listens on it, another might get it else.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port that is free now, and none that this test process has handed out before, unless all were.
fn free_port() -> u16 {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    // Test processes that run side by side begin at different ones.
    let first = std::process::id() as usize * 97;
    let next = || PORTS.start + ((first + TAKEN.fetch_add(1, Ordering::Relaxed)) % PORTS.len()) as u16;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(next).take(PORTS.len()).find(is_free).expect("a free port")
}

impl Host {
    /// Starts the binary in the application's folder with these app settings and nothing else of this environment.
    pub fn start(settings: &[(String, String)]) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_labelstream")), settings)
    }

    /// The same by a command that ends up in the binary.
    pub fn start_by(command: Command, settings: &[(String, String)]) -> Self {
        Self::start_in(Path::new(env!("CARGO_MANIFEST_DIR")), command, settings)
    }

    /// The same where the application lies in `root`.
    pub fn start_in(root: &Path, mut command: Command, settings: &[(String, String)]) -> Self {
        let port = free_port();
        let begun = Instant::now();
        let mut process = command
            .current_dir(root)
            .env_clear()
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("FUNCTIONS_HTTPWORKER_PORT", port.to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", "worker")
            .env("FUNCTIONS_HTTPWORKER_ID", "worker")
            .env("FUNCTIONS_APP_ROOT_PATH", root)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = Arc::default();
        let (out, err) = (process.stdout.take().expect("it is piped"), process.stderr.take().expect("it is piped"));
        collect(&lines, [(Stream::Out, out.into()), (Stream::Err, err.into())]);
        let mut host = Self { process, port, lines, runs: AtomicUsize::new(0) };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert_eq!(host.process.try_wait().expect("its state"), None, "it ended: {:?}", host.lines());
            assert!(begun.elapsed() < Duration::from_secs(30), "it is not ready: {:?}", host.lines());
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(host.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").status, 200);
        host
    }

    /// Fires the timer with a request that a real host sent.
    pub fn tick(&self) -> Answered {
        self.replay("timer-later.http")
    }

    /// Sends one of the requests in `tests/samples/host`, byte for byte.
    pub fn replay(&self, sample: &str) -> Answered {
        self.answer(self.begin(&request(sample)))
    }

    /// The answer to a run that was begun.
    pub fn answer(&self, connection: TcpStream) -> Answered {
        let answered = self.read(connection);
        self.wait_for_ended(self.runs.fetch_add(1, Ordering::Relaxed) + 1);
        answered
    }

    /// Waits for the lines of so many runs. The process writes how a run ended before it answers; the pipe may bring it a
    /// moment later.
    pub fn wait_for_ended(&self, runs: usize) {
        let begun = Instant::now();
        while self.ended_runs() < runs {
            assert!(begun.elapsed() < PATIENCE, "the end of a run was not written: {:?}", self.lines());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// How many runs ended, by what it wrote.
    pub fn ended_runs(&self) -> usize {
        self.lines.lock().expect("the lines").iter().filter(|(_, line)| is_end_of_run(line)).count()
    }

    /// Sends a request and reads its answer.
    pub fn send(&self, request: &[u8]) -> Answered {
        self.read(self.begin(request))
    }

    fn read(&self, mut connection: TcpStream) -> Answered {
        let mut reader = BufReader::new(&mut connection);
        let mut line = String::new();
        reader.read_line(&mut line).expect("a status line");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {line:?}: {:?}", self.lines()));
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).expect("a header");
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        Answered { status, body: serde_json::from_slice(&body).expect("a JSON body") }
    }

    /// Sends a request and leaves its answer unread; dropping the connection is what a host does that goes.
    pub fn begin(&self, request: &[u8]) -> TcpStream {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("a connection");
        connection.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        connection.write_all(request).expect("the request");
        connection
    }

    /// Ends it as the Functions host does: SIGKILL, without a word.
    pub fn kill(mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ended");
    }

    /// What it wrote so far, by stream.
    pub fn lines(&self) -> Vec<(Stream, String)> {
        self.lines.lock().expect("the lines").clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for its end; its exit status.
    pub fn ended(mut self) -> Option<i32> {
        self.process.wait().expect("its end").code()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// One of the requests in `tests/samples/host`, byte for byte.
pub fn request(sample: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/host").join(sample);
    std::fs::read(path).expect("the sample")
}

/// Whether the line tells how a run ended.
pub fn is_end_of_run(line: &str) -> bool {
    line.contains("the run is done") || line.contains("the run failed")
}

/// Reads what the process writes to its two streams. Lines are told when neither has more: whoever sees a line sees all
/// that was written to the other stream before it.
fn collect(lines: &Arc<Mutex<Vec<(Stream, String)>>>, from: [(Stream, OwnedFd); 2]) {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(async {
            let [mut out, mut err] = from.map(|(stream, pipe)| Pipe::new(stream, pipe));
            loop {
                tokio::select! {
                    _ = out.receiver.readable(), if out.open => {}
                    _ = err.receiver.readable(), if err.open => {}
                    else => break,
                }
                let mut found = Vec::new();
                while out.read(&mut found) | err.read(&mut found) {}
                lines.lock().expect("the lines").extend(found);
            }
        });
    });
}

/// One stream of the process.
struct Pipe {
    stream: Stream,
    receiver: pipe::Receiver,
    open: bool,
    /// The beginning of a line.
    begun: Vec<u8>,
}

impl Pipe {
    fn new(stream: Stream, pipe: OwnedFd) -> Self {
        let receiver = pipe::Receiver::from_owned_fd(pipe).expect("a pipe");
        Self { stream, receiver, open: true, begun: Vec::new() }
    }

    /// Adds the lines that are whole by now; at the end of the stream the last one too, however it ends. Whether there was
    /// anything to read.
    fn read(&mut self, lines: &mut Vec<(Stream, String)>) -> bool {
        let mut piece = [0; 8192];
        let bytes = match self.receiver.try_read(&mut piece) {
            _ if !self.open => return false,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) => panic!("what it writes cannot be read: {error}"),
        };
        self.open = bytes > 0;
        self.begun.extend_from_slice(&piece[..bytes]);
        let end = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let whole: Vec<u8> = self.begun.drain(..if self.open { end } else { self.begun.len() }).collect();
        lines.extend(String::from_utf8_lossy(&whole).lines().map(|line| (self.stream, line.to_owned())));
        true
    }
}
