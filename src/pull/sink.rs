//! Where rows go: the data collection rule, or a file of one JSON object a line.

use std::{fmt, io::Write, sync::Mutex, sync::PoisonError};

use super::error::RunError;
use crate::{
    batch::Batch,
    ingestion::{self, Delivery, IngestionClient, Leave, Patience},
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
        patience: &Patience,
        leave: &Leave<'_>,
    ) -> Result<Delivery, RunError> {
        match self {
            Self::Ingestion(client) => Ok(ingestion::deliver(client, batch, patience, leave).await),
            Self::Lines(lines) => {
                lines.write(batch).map_err(RunError::Output)?;
                Ok(all_accepted(batch))
            }
            Self::Nowhere => Ok(all_accepted(batch)),
        }
    }
}

/// What a sink answers that takes whatever comes.
fn all_accepted(batch: &Batch<Id>) -> Delivery {
    Delivery { accepted: (0..batch.len()).collect(), bytes_rows: batch.body().len() as u64, ..Delivery::default() }
}

/// Writes rows one a line.
pub struct LinesSink {
    writer: Mutex<Box<dyn LinesWriter>>,
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
        Self { writer: Mutex::new(writer) }
    }

    fn write(&self, batch: &Batch<Id>) -> std::io::Result<()> {
        let mut lines = Vec::with_capacity(batch.body().len() + 1);
        for row in (0..batch.len()).filter_map(|index| batch.row(index)) {
            // A line break within JSON stands between tokens only, where a blank does as well.
            lines.extend(row.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
            lines.push(b'\n');
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(&lines)?;
        writer.make_durable()
    }
}

impl fmt::Debug for LinesSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinesSink")
    }
}
