//! `labelstream connect` and `labelstream disconnect`: the subscriptions of the content types.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    content::ContentType,
    feed::{FeedClient, FeedError, subscription::to_start},
    settings::{Needs, Settings},
};

use super::{log_to_stderr, prepared, print, say, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  labelstream connect                                the content types of CONTENT_TYPES
  CONTENT_TYPES=Audit.General labelstream connect    one of them

Only M365_TENANT_ID and an identity are needed. Those that are enabled stay as they are, so that it may be called again
at will. Each run starts what is missing, too. After the very first start of a subscription the first contents come
within 12 hours; it back-fills about a day.

Exit status: 0 all are enabled, 1 one could not be started, 2 wrong use.")]
pub struct ConnectArguments {}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  az functionapp stop --name <app> --resource-group <group>
                                                     first: a run starts the subscriptions again
  labelstream pull --state ./state                   then: deliver what is published so far
  labelstream disconnect                             says what will be lost, and asks
  labelstream disconnect --yes                       does not ask: for scripts

What is published between this and the next `connect` can never be read, by nobody with this application. What was
published before is served for 7 days, and only while there is a subscription.

Exit status: 0 stopped, or none was there; 1 failed, or the answer was no; 2 wrong use.")]
pub struct DisconnectArguments {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Why a command failed before it did anything.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error(transparent)]
    Feed(#[from] FeedError),
}

pub fn connect(_: ConnectArguments) -> ExitCode {
    log_to_stderr();
    let (settings, runtime) = match prepared(Needs::FEED) {
        Ok(prepared) => prepared,
        Err(status) => return status,
    };
    ended(runtime.block_on(start_all(&settings)))
}

pub fn disconnect(arguments: DisconnectArguments) -> ExitCode {
    log_to_stderr();
    let (settings, runtime) = match prepared(Needs::FEED) {
        Ok(prepared) => prepared,
        Err(status) => return status,
    };
    if !arguments.yes {
        if !std::io::stdin().is_terminal() {
            return wrong_use(
                "disconnect asks before it stops anything, and there is no terminal to ask on: add --yes",
            );
        }
        say(&warning(&settings));
        match is_agreed() {
            Ok(true) => {}
            Ok(false) => {
                say("Nothing was stopped.");
                return ExitCode::FAILURE;
            }
            Err(error) => {
                say(&format!("failed: the answer cannot be read: {error}"));
                return ExitCode::FAILURE;
            }
        }
    }
    ended(runtime.block_on(stop_all(&settings)))
}

fn feed(settings: &Settings) -> Result<FeedClient, AssemblyError> {
    assembly::attended_feed_client(settings, assembly::feed_tokens(settings))
}

fn ended(done: Result<(Vec<String>, bool), Failure>) -> ExitCode {
    match done {
        Ok((lines, is_done)) => {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            print(&text, if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// A line for each content type, and whether all are enabled. One that cannot be started keeps no other from it.
async fn start_all(settings: &Settings) -> Result<(Vec<String>, bool), Failure> {
    let feed = feed(settings)?;
    let wanted = &settings.feed.content_types;
    let missing = to_start(&feed.subscriptions().await?, wanted);
    let (mut lines, mut is_done) = (Vec::new(), true);
    for content_type in wanted {
        lines.push(match missing.contains(content_type) {
            false => format!("{content_type}: enabled already"),
            true => each(*content_type, feed.start(*content_type).await, "started", &mut is_done),
        });
    }
    Ok((lines, is_done))
}

/// The same for their end.
async fn stop_all(settings: &Settings) -> Result<(Vec<String>, bool), Failure> {
    let feed = feed(settings)?;
    let (mut lines, mut is_done) = (Vec::new(), true);
    for &content_type in &settings.feed.content_types {
        lines.push(each(content_type, feed.stop(content_type).await, "stopped", &mut is_done));
    }
    Ok((lines, is_done))
}

fn each(content_type: ContentType, done: Result<(), FeedError>, word: &str, is_done: &mut bool) -> String {
    match done {
        Ok(()) => format!("{content_type}: {word}"),
        Err(error) => {
            *is_done = false;
            say(&format!("failed: {error}"));
            format!("{content_type}: not {word}")
        }
    }
}

fn warning(settings: &Settings) -> String {
    let names: Vec<_> = settings.feed.content_types.iter().map(|content_type| content_type.as_str()).collect();
    format!(
        "This stops the subscriptions of {} in tenant {}.\nWhat is published from now until `labelstream connect` can \
         never be read: these label events will be missing in the table. What is published and not delivered yet \
         cannot be read meanwhile, and is served for 7 days from its publication.\nA connector that goes on running \
         starts them again: stop the function app first.",
        names.join(", "),
        settings.feed.tenant_id
    )
}

/// Asks on the terminal; everything but a clear yes is a no.
fn is_agreed() -> std::io::Result<bool> {
    std::io::stderr().write_all(b"Stop them? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
