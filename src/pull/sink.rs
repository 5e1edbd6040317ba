//! Where rows go: the data collection rule, or a file of one JSON object a line.

use std::{fmt, io::Write, sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::error::RunError;
use crate::{
    batch::Batch,
    ingestion::{self, Blame, Delivery, IngestionClient, IngestionError, Interruption, Leave, Patience},
    watermark::Id,
};

/// Where rows go.
#[derive(Debug)]
pub enum Sink {
    /// The data collection rule.
    Ingestion(IngestionClient),
    /// A file or standard output, in place of sending.
    Lines(LinesSink),
    /// Nowhere: a dry run.
    Nowhere,
}

impl Sink {
    /// Delivers a batch. What it says as accepted is safe with the sink.
    pub(super) async fn deliver(
        &self,
        batch: &Batch<Id>,
        blame: Blame,
        patience: &Patience,
        leave: &Leave<'_>,
    ) -> Result<Delivery, RunError> {
        match self {
            Self::Ingestion(client) => Ok(ingestion::deliver(client, batch, blame, patience, leave).await),
            Self::Lines(lines) => lines.deliver(batch, patience.last_answer, leave.stop).await,
            Self::Nowhere => Ok(all_accepted(batch)),
        }
    }
}

/// What a sink answers that takes whatever comes.
fn all_accepted(batch: &Batch<Id>) -> Delivery {
    Delivery { accepted: (0..batch.len()).collect(), bytes_rows: batch.body().len() as u64, ..Delivery::default() }
}

/// What it answers when the run ended first; the rows may be written all the same where `maybe_sent` says so.
fn left_to_a_later_run(maybe_sent: bool) -> Delivery {
    let interrupted = IngestionError::Interrupted { why: Interruption::Stop, last: None, maybe_sent };
    Delivery { stopped: Some(interrupted), ..Delivery::default() }
}

/// Writes rows one a line. Its clones write to the same place, whole batches at a time.
#[derive(Clone)]
pub struct LinesSink {
    writer: Arc<Mutex<Box<dyn LinesWriter>>>,
}

/// A writer whose lines can be made durable.
pub trait LinesWriter: Write + Send {
    /// Returns once what was written outlives a crash.
    ///
    /// # Errors
    /// The device fails.
    fn make_durable(&mut self) -> std::io::Result<()>;
}

impl LinesWriter for std::fs::File {
    fn make_durable(&mut self) -> std::io::Result<()> {
        self.sync_data()
    }
}

impl LinesWriter for std::io::Stdout {
    fn make_durable(&mut self) -> std::io::Result<()> {
        self.flush()
    }
}

impl LinesSink {
    /// A sink that writes to `writer`.
    #[must_use]
    pub fn new(writer: Box<dyn LinesWriter>) -> Self {
        Self { writer: Arc::new(Mutex::new(writer)) }
    }

    /// Writes a batch, off the runtime's threads: a pipe that nobody reads must not hold up the lock's renewal. Once
    /// `halt` is cancelled no write is begun, and one under way has `last_write` left.
    async fn deliver(
        &self,
        batch: &Batch<Id>,
        last_write: Duration,
        halt: &CancellationToken,
    ) -> Result<Delivery, RunError> {
        let mut writer = tokio::select! {
            biased;
            () = halt.cancelled() => return Ok(left_to_a_later_run(false)),
            writer = Arc::clone(&self.writer).lock_owned() => writer,
        };
        let lines = lines(batch);
        let write = tokio::task::spawn_blocking(move || {
            writer.write_all(&lines)?;
            writer.make_durable()
        });
        let given_up = async {
            halt.cancelled().await;
            tokio::time::sleep(last_write).await;
        };
        tokio::select! {
            biased;
            written = write => match written {
                Ok(written) => written.map_err(RunError::Output)?,
                Err(error) => return Err(RunError::Broken(format!("writing rows ended early: {error}"))),
            },
            () = given_up => return Ok(left_to_a_later_run(true)),
        }
        Ok(all_accepted(batch))
    }
}

/// The rows, one a line.
fn lines(batch: &Batch<Id>) -> Vec<u8> {
    let mut lines = Vec::with_capacity(batch.body().len() + 1);
    for row in (0..batch.len()).filter_map(|index| batch.row(index)) {
        // A line break within JSON stands between tokens only, where a blank does as well.
        lines.extend(row.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
        lines.push(b'\n');
    }
    lines
}

impl fmt::Debug for LinesSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinesSink")
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex as StdMutex, mpsc},
    };

    use super::*;
    use crate::batch::Builder;

    /// A reader that is told when a write begins, and lets it go on.
    struct Pipe {
        begun: mpsc::Sender<()>,
        go_on: mpsc::Receiver<()>,
        written: Arc<StdMutex<Vec<u8>>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.begun.send(()).map_err(io::Error::other)?;
            // The reader is gone once its end is dropped.
            self.go_on.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LinesWriter for Pipe {
        fn make_durable(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Reader {
        begun: mpsc::Receiver<()>,
        go_on: mpsc::Sender<()>,
        written: Arc<StdMutex<Vec<u8>>>,
    }

    fn pipe() -> (LinesSink, Reader) {
        let ((begun, is_begun), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel());
        let written = Arc::new(StdMutex::default());
        let pipe = Pipe { begun, go_on: may_go_on, written: Arc::clone(&written) };
        (LinesSink::new(Box::new(pipe)), Reader { begun: is_begun, go_on, written })
    }

    fn batch() -> Batch<Id> {
        let mut builder = Builder::new();
        for (number, row) in ["{\"a\":\n1}", "{\"b\":\r\n2}"].into_iter().enumerate() {
            assert!(builder.push(row.as_bytes(), [number as u8; 16]).is_none());
        }
        builder.take().unwrap()
    }

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn a_stalled_write_holds_up_nothing_else() {
        let (sink, reader) = pipe();
        let (batch, halt) = (batch(), CancellationToken::new());
        // One thread runs both: a write on it would never be let go on.
        let other_work = async {
            tokio::task::yield_now().await;
            reader.begun.recv().unwrap();
            reader.go_on.send(()).unwrap();
        };
        let (delivery, ()) = tokio::join!(sink.deliver(&batch, LONG, &halt), other_work);
        let delivery = delivery.unwrap();
        assert_eq!((delivery.accepted, delivery.stopped.is_none()), (vec![0, 1], true));
        assert_eq!(reader.written.lock().unwrap().as_slice(), b"{\"a\": 1}\n{\"b\":  2}\n");
    }

    #[tokio::test]
    async fn a_halted_run_begins_no_write_and_waits_for_none_for_long() {
        let (sink, reader) = pipe();
        let (batch, halt) = (batch(), CancellationToken::new());
        let halting = async {
            tokio::task::yield_now().await;
            reader.begun.recv().unwrap();
            halt.cancel();
        };
        let (delivery, ()) = tokio::join!(sink.deliver(&batch, Duration::ZERO, &halt), halting);
        let delivery = delivery.unwrap();
        assert!(delivery.accepted.is_empty() && delivery.stopped.is_some_and(|error| error.maybe_sent()));
        // The next batch finds the run halted.
        let delivery = sink.deliver(&batch, LONG, &halt).await.unwrap();
        assert!(delivery.accepted.is_empty() && delivery.stopped.is_some_and(|error| !error.maybe_sent()));
        drop(reader);
    }

    #[tokio::test]
    async fn a_write_that_fails_accepts_nothing() {
        let (sink, reader) = pipe();
        drop(reader.go_on);
        let delivered = sink.deliver(&batch(), LONG, &CancellationToken::new()).await;
        assert!(matches!(delivered, Err(RunError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe));
    }
}
