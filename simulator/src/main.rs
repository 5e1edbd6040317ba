//! The simulator as a process of its own: prints one line of JSON with its address, then serves until killed.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use labelstream_simulator::{Bulk, Config, History, Mix, Published, Simulator};
use serde_json::json;

/// The Microsoft side of Labelstream on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Seed of the tenant and its records
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days of history; the feed serves 7, and what is at that edge expires before it is fetched
    #[arg(long, default_value_t = 6.9)]
    days: f64,
    /// Records in the history; 0 publishes nothing
    #[arg(long, default_value_t = 20_000)]
    records: u64,
    /// Share of label events among the records, 0 to 1
    #[arg(long, default_value_t = 0.05)]
    label_share: f64,
    /// Which records
    #[arg(long, value_enum, default_value_t)]
    mix: Mix,
    /// Most records in one content
    #[arg(long, default_value_t = 100)]
    records_per_content: u32,
    /// Publish evenly full contents in place of a company's hours (for benchmarks)
    #[arg(long)]
    bulk: bool,
    /// Wait before every answer, in milliseconds
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Contents on one page of a listing
    #[arg(long, default_value_t = 100)]
    page_size: usize,
    /// Serve contents uncompressed, which saves the simulator's time
    #[arg(long)]
    no_gzip: bool,
    /// Do not keep arrived rows in memory
    #[arg(long)]
    forget_rows: bool,
    /// Append arrived rows to this file, one a line
    #[arg(long)]
    rows_file: Option<PathBuf>,
    /// Append the JSON of arrived posts to this file, one a line
    #[arg(long)]
    posts_file: Option<PathBuf>,
    /// Write the contents to this file before serving, one a line
    #[arg(long)]
    contents_file: Option<PathBuf>,
    /// Render contents before serving and hold them in memory (for benchmarks)
    #[arg(long)]
    hold_contents: bool,
    /// Read arrived posts only when a report is asked for (for benchmarks)
    #[arg(long)]
    judge_later: bool,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let simulator = Simulator::start(Config {
        port: arguments.port,
        seed: arguments.seed,
        mix: arguments.mix,
        page_size: arguments.page_size,
        latency: Duration::from_millis(arguments.latency_ms),
        gzip_contents: !arguments.no_gzip,
        keep_rows: !arguments.forget_rows,
        hold_contents: arguments.hold_contents,
        rows_file: arguments.rows_file.clone(),
        posts_file: arguments.posts_file.clone(),
        judge_later: arguments.judge_later,
        ..Config::default()
    })
    .await?;
    let published = publish(&simulator, &arguments);
    if let Some(path) = &arguments.contents_file {
        let mut file = BufWriter::new(File::create(path)?);
        simulator.write_contents(&mut file)?;
        file.flush()?;
    }
    let environment: serde_json::Map<_, _> =
        simulator.environment().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let line = json!({
        "address": simulator.base(), "environment": environment, "contents": published.contents.len(),
        "records": published.records, "label_events": published.label_events,
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    drop(out);
    simulator.serve().await
}

fn publish(simulator: &Simulator, arguments: &Arguments) -> Published {
    let (records_per_content, label_share) = (arguments.records_per_content.max(1), arguments.label_share);
    if arguments.records == 0 {
        return Published::default();
    }
    if arguments.bulk {
        let contents = arguments.records.div_ceil(u64::from(records_per_content));
        let age_seconds = (arguments.days * 86_400.0) as i64;
        return simulator.publish_bulk(&Bulk { contents, records_per_content, label_share, age_seconds });
    }
    let history = History {
        days: arguments.days,
        records: arguments.records,
        label_share,
        records_per_content,
        ..History::default()
    };
    simulator.publish_history(&history)
}
