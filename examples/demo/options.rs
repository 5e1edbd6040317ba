//! What the person at the shell may choose.

use std::path::PathBuf;

use clap::Parser;

/// Shows the whole way of label events, from the audit feed to the table, on a simulated company.
///
/// No account, no network, no cloud: Microsoft's side runs on loopback, and the connector's own code reads from it and
/// sends to it. Exit status 0: every published label event arrived, once, and nothing else.
#[derive(Debug, Clone, Parser)]
#[command(name = "demo", max_term_width = 100)]
pub struct Options {
    /// Days of the past that the company has; the feed serves 7
    #[arg(long, default_value_t = 7.0, value_parser = days)]
    pub days: f64,
    /// Audit records in these days; one in twenty is a label event
    #[arg(long, default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(20..=50_000_000))]
    pub records: u64,
    /// Seed of the company and its events
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keep the connector's state in this folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Write the rows that arrive to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub rows: Option<PathBuf>,
    /// Write the report of these rows, a page for a browser, to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Go on publishing and pulling, and show each label event, until Ctrl-C
    #[arg(long)]
    pub keep_running: bool,
    /// Let Microsoft's side fail: throttling, a server error, a broken connection, a lost answer
    #[arg(long)]
    pub faults: bool,
    /// Be the connector's half, with this folder as its state
    #[arg(long, value_name = "DIR", hide = true)]
    pub as_connector: Option<PathBuf>,
}

fn days(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(days) if (0.1..=7.0).contains(&days) => Ok(days),
        _ => Err("give a number from 0.1 to 7".to_owned()),
    }
}
