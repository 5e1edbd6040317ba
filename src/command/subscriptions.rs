//! `labelstream connect`, and what it shares with `disconnect`: the subscriptions of the content types.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    content::ContentType,
    feed::{FeedClient, FeedError, subscription::to_start},
    settings::{Needs, Settings},
};

use tokio_util::sync::CancellationToken;

use super::{
    choice::{Choice, TenantArguments, chosen},
    each::{Outcome, each, failed, say_line, say_sums},
    log_to_stderr, no_folder, print, say, wrong_use,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # the content types of CONTENT_TYPES
  labelstream connect
  # one of them
  CONTENT_TYPES=Audit.General labelstream connect
  # with TENANTS: those of all tenants, or of one
  labelstream connect
  labelstream connect --tenant Contoso

Only M365_TENANT_ID and an identity are needed. Those that are enabled stay as they are, so that it may be called again at will. Each run starts what is missing, too. After the very first start of a subscription the first contents come within 12 hours; it back-fills about a day.

Exit status: 0 all are enabled, 1 one could not be started, 2 wrong use.")]
pub struct ConnectArguments {
    #[command(flatten)]
    tenants: TenantArguments,
    /// The list of TENANTS=state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

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
    done: Vec<(ContentType, String)>,
    problems: Vec<String>,
}

impl Lines {
    pub fn add(&mut self, content_type: ContentType, what: &str) {
        self.done.push((content_type, what.to_owned()));
    }

    pub fn done(&mut self, content_type: ContentType, word: &str, done: Result<(), FeedError>) {
        match done {
            Ok(()) => self.add(content_type, word),
            Err(error) => {
                self.problems.push(error.to_string());
                self.add(content_type, &format!("not {word}"));
            }
        }
    }

    /// What became of all of them, in the line of a tenant.
    pub fn in_one(self) -> Outcome<String> {
        if !self.problems.is_empty() {
            return Err(self.problems.join("; "));
        }
        let done: Vec<_> = self.done.iter().map(|(content_type, what)| format!("{content_type} {what}")).collect();
        Ok(done.join(", "))
    }
}

pub fn connect(arguments: ConnectArguments) -> ExitCode {
    log_to_stderr(&arguments.tenants);
    let state = arguments.state.as_deref();
    if let Some(problem) = no_folder(state) {
        return wrong_use(&problem);
    }
    let (choice, runtime) = match chosen(&arguments.tenants, state, Needs::FEED) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    match choice {
        Choice::One(settings) => ended(runtime.block_on(start_all(&settings))),
        Choice::Several(several) => {
            let stop = CancellationToken::new();
            let work = each(
                &several.tenants,
                &stop,
                async |_, _, settings| start_all(settings).await.map_err(|failure| failure.to_string())?.in_one(),
                say_line,
            );
            let outcomes = runtime.block_on(Box::pin(work));
            let (failed, _) = failed(&outcomes);
            say_sums(&outcomes, &format!("subscriptions of {} enabled", outcomes.len() - failed))
        }
    }
}

pub fn feed(settings: &Settings) -> Result<FeedClient, AssemblyError> {
    assembly::attended_feed_client(settings, assembly::feed_tokens(settings))
}

/// Tells what was done, and gives the exit status.
pub fn ended(done: Result<Lines, Failure>) -> ExitCode {
    match done {
        Ok(Lines { done, problems }) => {
            problems.iter().for_each(|problem| say(&format!("failed: {problem}")));
            let text: String = done.iter().map(|(content_type, what)| format!("{content_type}: {what}\n")).collect();
            print(&text, if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
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
            false => lines.add(*content_type, "enabled already"),
            true => lines.done(*content_type, "started", feed.start(*content_type).await),
        }
    }
    Ok(lines)
}
