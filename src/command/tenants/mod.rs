//! `labelstream tenants`: the list of the tenants that a provider's deployment reads.

mod add;
mod change;
mod list;
mod remove;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Subcommand};
use labelstream::{
    assembly::{self, AssemblyError},
    settings::{DeploymentSettings, process_environment},
    state::{Store, folder::FolderStore},
    tenants::{LIST_KEY, Source, TENANTS, edit::EditError},
};
use tokio::runtime::Runtime;

use super::{choice::TenantArguments, doctor, log_to_stderr, no_folder, say, started_runtime, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # a new customer: into the list, then look at all that it needs
  labelstream tenants add 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55 --name Contoso
  labelstream tenants check --tenant Contoso
  # all of them, with what differs from the app settings
  labelstream tenants list

The list is the blob tenants.json of the state, which is read where the app setting TENANTS is `state`; docs/providers.md has the steps for a customer. Where TENANTS is an array or a file, `list` and `check` read that.

Exit status: 0 done, 1 failed, 2 wrong use.")]
pub struct TenantsArguments {
    #[command(subcommand)]
    action: Action,
    /// The state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the list: name, id, whether it is read, what differs from the app settings, and what is wrong.
    List(list::ListArguments),
    /// Whether all that each tenant needs is there: `doctor` for each, as one table.
    #[command(after_help = "Examples:
  # all tenants that are enabled; one, also before it is enabled
  labelstream tenants check
  labelstream tenants check --tenant Contoso
  # those that failed
  labelstream tenants check --json | jq '.tenants[] | select(.ok | not)'

The columns are checks of doctor, of which the worst is shown: access is the token and its permission; feed the feed, auditing and the listing; ingestion and labels each with its token. What all tenants share is looked at once: host, settings, state, clock.

Exit status: 0 nothing failed (there may be warnings), 1 something failed, 2 wrong use.")]
    Check {
        /// One JSON object in place of the table.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        tenants: TenantArguments,
    },
    /// Add a tenant.
    Add(Box<add::AddArguments>),
    /// Take a tenant out of the list.
    Remove(remove::RemoveArguments),
    /// Have runs read a tenant again.
    #[command(after_help = "Examples:
  labelstream tenants enable Contoso

Exit status: 0 done, 1 failed, 2 wrong use.")]
    Enable {
        /// Its id or name.
        tenant: String,
    },
    /// Leave a tenant out of runs; it stays in the list. The feed keeps what is published meanwhile for seven days.
    #[command(after_help = "Examples:
  labelstream tenants disable Contoso

Exit status: 0 done, 1 failed, 2 wrong use.")]
    Disable {
        /// Its id or name.
        tenant: String,
    },
}

pub fn tenants(arguments: TenantsArguments) -> ExitCode {
    log_to_stderr(&TenantArguments::default());
    let state = arguments.state.as_deref();
    if let Some(problem) = no_folder(state) {
        return wrong_use(&problem);
    }
    match &arguments.action {
        Action::List(list) => list::list(list, state),
        Action::Check { json, tenants } => doctor::check(tenants, state, *json),
        Action::Add(add) => stored(&arguments).map_or_else(|status| status, |stored| add::add(add, &stored)),
        Action::Remove(remove) => {
            stored(&arguments).map_or_else(|status| status, |stored| remove::remove(remove, &stored))
        }
        Action::Enable { tenant } => {
            stored(&arguments).map_or_else(|status| status, |stored| change::enabled(tenant, true, &stored))
        }
        Action::Disable { tenant } => {
            stored(&arguments).map_or_else(|status| status, |stored| change::enabled(tenant, false, &stored))
        }
    }
}

/// The list in the state, to be changed.
struct Stored {
    store: Arc<dyn Store>,
    runtime: Runtime,
    /// The folder of the state, for the commands that are shown to people.
    folder: Option<PathBuf>,
}

impl Stored {
    /// A command for this list.
    fn command(&self, command: &str) -> String {
        match &self.folder {
            Some(folder) => format!("labelstream {command} --state {}", folder.display()),
            None => format!("labelstream {command}"),
        }
    }
}

/// The list in the state; or the exit status, after saying why it is not changed by commands.
fn stored(arguments: &TenantsArguments) -> Result<Stored, ExitCode> {
    match Source::of(&process_environment) {
        Some(Source::State) | None => {}
        Some(Source::Inline(_)) => {
            return Err(wrong_use(&format!(
                "{TENANTS} is an array: this list is changed in that setting. Where it is `state`, the list is {LIST_KEY} \
                 of the state, and changed by this command."
            )));
        }
        Some(Source::File(path)) => {
            return Err(wrong_use(&format!(
                "{TENANTS} is the file {}: this list is changed in that file. Where {TENANTS} is `state`, the list is \
                 {LIST_KEY} of the state, and changed by this command.",
                path.display()
            )));
        }
    }
    let store = state(arguments.state.as_deref())?;
    Ok(Stored { store, runtime: started_runtime()?, folder: arguments.state.clone() })
}

/// The state of all tenants; or the exit status, after saying why there is none.
fn state(folder: Option<&Path>) -> Result<Arc<dyn Store>, ExitCode> {
    let cannot = |error: AssemblyError| {
        say(&format!("failed: {error}"));
        ExitCode::FAILURE
    };
    if let Some(folder) = folder {
        return Ok(Arc::new(FolderStore::open(folder).map_err(|error| cannot(error.into()))?));
    }
    let deployment =
        DeploymentSettings::read(&process_environment, true).map_err(|error| wrong_use(&error.to_string()))?;
    assembly::store_of(&deployment).map_err(cannot)
}

/// Says that no deployment reads the list, where that is so.
fn say_whether_it_is_read() {
    if Source::of(&process_environment).is_none() {
        say(&format!(
            "{TENANTS} is not set here: a deployment reads this list where its app setting {TENANTS} is `state`."
        ));
    }
}

/// Why the list was not changed; the exit status.
fn unchanged(error: &EditError) -> ExitCode {
    match error {
        EditError::List(_) | EditError::State(_) => {
            say(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
        EditError::Known(_) | EditError::Unknown(_) | EditError::Entry(_) => wrong_use(&error.to_string()),
    }
}

/// How a tenant is named in a command: by its name, where a shell takes it as one word, or else by its id.
fn word<'a>(name: Option<&'a str>, id: &'a str) -> &'a str {
    let is_word = |name: &&str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-'))
    };
    name.filter(is_word).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_name_is_used_in_a_command_where_a_shell_takes_it_as_it_is() {
        for (name, shown) in
            [(Some("Contoso-1.b"), "Contoso-1.b"), (Some("A B"), "id"), (Some("-x"), "id"), (None, "id")]
        {
            assert_eq!(word(name, "id"), shown);
        }
    }
}
