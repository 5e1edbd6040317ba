//! `labelstream connect`, and what it shares with `disconnect`: the subscriptions of the content types.

use std::process::ExitCode;

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    content::ContentType,
    feed::{FeedClient, FeedError, subscription::to_start},
    settings::{Needs, Settings},
};

use super::{log_to_stderr, prepared, print, say};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # the content types of CONTENT_TYPES
  labelstream connect
  # one of them
  CONTENT_TYPES=Audit.General labelstream connect

Only M365_TENANT_ID and an identity are needed. Those that are enabled stay as they are, so that it may be called again at will. Each run starts what is missing, too. After the very first start of a subscription the first contents come within 12 hours; it back-fills about a day.

Exit status: 0 all are enabled, 1 one could not be started, 2 wrong use.")]
pub struct ConnectArguments {}

/// Why a command failed before it did anything.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// What became of each content type. One that fails keeps no other from it.
#[derive(Debug, Default)]
pub struct Lines {
    text: String,
    has_failed: bool,
}

impl Lines {
    pub fn add(&mut self, line: String) {
        self.text.push_str(&line);
        self.text.push('\n');
    }

    pub fn done(&mut self, content_type: ContentType, word: &str, done: Result<(), FeedError>) {
        match done {
            Ok(()) => self.add(format!("{content_type}: {word}")),
            Err(error) => {
                self.has_failed = true;
                say(&format!("failed: {error}"));
                self.add(format!("{content_type}: not {word}"));
            }
        }
    }
}

pub fn connect(_: ConnectArguments) -> ExitCode {
    log_to_stderr();
    let (settings, runtime) = match prepared(Needs::FEED) {
        Ok(prepared) => prepared,
        Err(status) => return status,
    };
    ended(runtime.block_on(start_all(&settings)))
}

pub fn feed(settings: &Settings) -> Result<FeedClient, AssemblyError> {
    assembly::attended_feed_client(settings, assembly::feed_tokens(settings))
}

/// Tells what was done, and gives the exit status.
pub fn ended(done: Result<Lines, Failure>) -> ExitCode {
    match done {
        Ok(lines) => print(&lines.text, if lines.has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }),
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn start_all(settings: &Settings) -> Result<Lines, Failure> {
    let feed = feed(settings)?;
    let wanted = &settings.feed.content_types;
    let missing = to_start(&feed.subscriptions().await?, wanted);
    let mut lines = Lines::default();
    for content_type in wanted {
        match missing.contains(content_type) {
            false => lines.add(format!("{content_type}: enabled already")),
            true => lines.done(*content_type, "started", feed.start(*content_type).await),
        }
    }
    Ok(lines)
}
