//! The whole way of label events, from the audit feed to the table, on a simulated company: no account is needed.
//!
//! ```text
//! cargo run --release --example demo
//! ```
//!
//! Two processes: this one has Microsoft's side, the simulator, on loopback, and shows what happens. It starts itself
//! once more as the connector's half (`connector`), with the app settings of a function app, a folder as the state, and
//! the connector's own code: real HTTP, tokens, gzip, listing, fetching, filtering, batching, posting, saving.
//!
//! - `show` is the order of things.
//! - `week` plans what the company did; `faults` what goes wrong at Microsoft.
//! - `link` and `message` are the line between the halves; `progress` shows how far a run is.
//! - `event` and `tally` read the rows that arrived; `proof` asks the simulator's ledger whether they are the right
//!   ones; `picture` draws the end: `told` an event of it, `text` its figures, bars and colours; `report` makes the page.
//! - `watch` is what `--keep-running` adds; `places` and `options` are where and what.

#[path = "demo/connector.rs"]
mod connector;
#[path = "demo/event.rs"]
mod event;
#[path = "demo/faults.rs"]
mod faults;
#[path = "demo/link.rs"]
mod link;
#[path = "demo/message.rs"]
mod message;
#[path = "demo/options.rs"]
mod options;
#[path = "demo/picture.rs"]
mod picture;
#[path = "demo/places.rs"]
mod places;
#[path = "demo/progress.rs"]
mod progress;
#[path = "demo/proof.rs"]
mod proof;
#[path = "demo/report.rs"]
mod report;
#[path = "demo/show.rs"]
mod show;
#[path = "demo/tally.rs"]
mod tally;
#[path = "demo/text.rs"]
mod text;
#[path = "demo/told.rs"]
mod told;
#[path = "demo/watch.rs"]
mod watch;
#[path = "demo/week.rs"]
mod week;

use std::{io::Write, process::ExitCode};

use clap::Parser;

use crate::options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(state) = &options.as_connector {
        return connector::serve(state).await;
    }
    match show::show(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Where stderr is closed there is nobody to tell.
            writeln!(std::io::stderr(), "{error}").ok();
            ExitCode::FAILURE
        }
    }
}
