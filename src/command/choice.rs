//! Which tenants a command is for: that of `M365_TENANT_ID`, or those of `TENANTS`.

use std::{path::Path, process::ExitCode, sync::Arc};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    settings::{DeploymentSettings, Needs, Settings, process_environment},
    state::{Store, folder::FolderStore},
    tenants::{self, Entry, List, ReadError, Source, TENANTS, TenantError},
};
use tokio::runtime::Runtime;

use super::{say, started_runtime, wrong_use};

/// What names tenants on the command line.
#[derive(Debug, Clone, Default, Args)]
pub struct TenantArguments {
    /// Of the tenants of TENANTS this one, by its id or name; may be given several times. Without it: all that are
    /// enabled.
    #[arg(long, value_name = "TENANT", global = true)]
    pub tenant: Vec<String>,
}

impl TenantArguments {
    /// Whether several tenants are meant: each is then told in a line, and not in full.
    pub fn are_several(&self) -> bool {
        self.tenant.len() != 1 && has_list()
    }
}

/// Whether these are the settings of a deployment of many tenants.
pub fn has_list() -> bool {
    Source::of(&process_environment).is_some()
}

/// What a command is done for.
pub enum Choice {
    /// One tenant, told in full.
    One(Box<Settings>),
    /// Tenants of the list, each told in a line.
    Several(Several),
}

/// Tenants of the list.
pub struct Several {
    /// Those that are meant, in the order of the list.
    pub tenants: Vec<Tenant>,
    /// Those that are left out, because they are disabled and not named.
    pub disabled: Vec<Entry>,
    /// The state of all of them; `None` where neither the command nor the list needs it.
    pub store: Option<Arc<dyn Store>>,
}

impl Several {
    /// The state, where the command asked for it.
    pub fn state(&self) -> Result<&Arc<dyn Store>, String> {
        self.store.as_ref().ok_or_else(|| "the state was not opened for this command".to_owned())
    }
}

/// One of several tenants.
pub struct Tenant {
    /// Its entry in the list.
    pub entry: Entry,
    /// How its line begins: its name, with the id where another has the same one.
    pub name: String,
    /// Its settings, or what is wrong with its entry.
    pub settings: Result<Settings, Box<TenantError>>,
}

/// The tenants that a command is for, and the runtime to work in; or the exit status, after saying what is wrong.
pub fn chosen(asked: &TenantArguments, state: Option<&Path>, needs: Needs) -> Result<(Choice, Runtime), ExitCode> {
    let Some(picked) = picked(asked, state, needs.storage)? else {
        let settings = Settings::read(&process_environment, needs).map_err(|error| wrong_use(&error.to_string()))?;
        return Ok((Choice::One(Box::new(settings)), started_runtime()?));
    };
    let settings = |entry: &Entry| entry.settings(&process_environment, needs);
    if let Some(entry) = picked.only() {
        let settings = settings(entry).map_err(|error| wrong_use(&error.to_string()))?;
        return Ok((Choice::One(Box::new(settings)), picked.runtime));
    }
    let named = |name: &str| picked.entries.iter().filter(|entry| entry.short_label() == name).count();
    let tenant = |entry: &Entry| {
        let name = entry.short_label();
        let name = if named(&name) > 1 { entry.label() } else { name };
        Tenant { name, settings: settings(entry), entry: entry.clone() }
    };
    let tenants = picked.entries.iter().map(tenant).collect();
    let Picked { disabled, store, runtime, .. } = picked;
    Ok((Choice::Several(Several { tenants, disabled, store }), runtime))
}

/// Entries of the list, before their settings are read.
pub struct Picked {
    /// Those that are meant, in the order of the list.
    pub entries: Vec<Entry>,
    /// Those that are left out, because they are disabled and not named.
    pub disabled: Vec<Entry>,
    /// The state of all tenants; `None` where neither the command nor the list needs it.
    pub store: Option<Arc<dyn Store>>,
    /// What the list was read in.
    pub runtime: Runtime,
    is_named: bool,
}

impl Picked {
    /// The one tenant that was named.
    pub fn only(&self) -> Option<&Entry> {
        match &self.entries[..] {
            [entry] if self.is_named => Some(entry),
            _ => None,
        }
    }
}

/// The entries that a command is for; `None` where one tenant is read, that of `M365_TENANT_ID`. Or the exit status,
/// after saying what is wrong. `storage`: the command needs the state.
pub fn picked(asked: &TenantArguments, state: Option<&Path>, storage: bool) -> Result<Option<Picked>, ExitCode> {
    let Some(source) = Source::of(&process_environment) else {
        return match another(&asked.tenant) {
            None => Ok(None),
            Some(problem) => Err(wrong_use(&problem)),
        };
    };
    let storage = state.is_none() && (storage || source == Source::State);
    let deployment =
        DeploymentSettings::read(&process_environment, storage).map_err(|error| wrong_use(&error.to_string()))?;
    let store = shared_store(state, &deployment).map_err(|error| failed(&error.to_string()))?;
    let runtime = started_runtime()?;
    let list = runtime.block_on(tenants::read(&source, store.as_ref())).map_err(|error| match error {
        ReadError::State(_) => failed(&error.to_string()),
        error => wrong_use(&error.to_string()),
    })?;
    let entries = if asked.tenant.is_empty() {
        list.entries().iter().filter(|entry| entry.enabled).cloned().collect()
    } else {
        named(&list, &asked.tenant).map_err(|problem| wrong_use(&problem))?
    };
    for entry in entries.iter().filter(|entry| !entry.enabled) {
        say(&format!("{} is disabled in the list; it was named, and is meant all the same.", entry.label()));
    }
    let disabled = match asked.tenant.is_empty() {
        true => list.entries().iter().filter(|entry| !entry.enabled).cloned().collect(),
        false => Vec::new(),
    };
    if entries.is_empty() {
        say("No tenant of the list is enabled: `labelstream tenants list` shows it.");
    }
    Ok(Some(Picked { entries, disabled, store, runtime, is_named: !asked.tenant.is_empty() }))
}

/// Why a tenant that is named cannot be meant where the settings name one alone.
fn another(asked: &[String]) -> Option<String> {
    let own = process_environment("M365_TENANT_ID").unwrap_or_default();
    let bare = |id: &str| id.trim().trim_start_matches('{').trim_end_matches('}').to_ascii_lowercase();
    let other = asked.iter().find(|asked| bare(asked) != bare(&own) || bare(asked).is_empty())?;
    Some(format!(
        "--tenant {other}: these settings read one tenant, that of M365_TENANT_ID. For several set {TENANTS} to their \
         list (docs/settings.md), or to `state` for that of `labelstream tenants`."
    ))
}

/// The entries that people name, each once and in the order of the list; or all that is wrong with the names.
fn named(list: &List, names: &[String]) -> Result<Vec<Entry>, String> {
    let (mut places, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match list.find(name) {
            Ok(entry) => places.push(entry.place),
            Err(error) => problems.push(format!("--tenant: {error}")),
        }
    }
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    Ok(list.entries().iter().filter(|entry| places.contains(&entry.place)).cloned().collect())
}

/// The state of all tenants: the folder of `--state`, or the storage account, where it was read.
fn shared_store(
    state: Option<&Path>,
    deployment: &DeploymentSettings,
) -> Result<Option<Arc<dyn Store>>, AssemblyError> {
    Ok(match (state, &deployment.storage) {
        (Some(folder), _) => Some(Arc::new(FolderStore::open(folder)?)),
        (None, Some(_)) => Some(assembly::store_of(deployment)?),
        (None, None) => None,
    })
}

/// What failed, on stderr.
fn failed(problem: &str) -> ExitCode {
    say(&format!("failed: {problem}"));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
    const B: &str = "7c5a1f0e-2d3b-4a69-8f47-5e6d7c8b9a01";

    #[test]
    fn tenants_are_meant_once_and_in_the_order_of_the_list() {
        let text = format!(r#"[{{"tenantId":"{A}","name":"One"}},{{"tenantId":"{B}","name":"Two"}}]"#);
        let list = List::parse(text.as_bytes()).unwrap();
        let of = |names: &[&str]| named(&list, &names.iter().map(ToString::to_string).collect::<Vec<_>>());
        let places: Vec<_> = of(&["two", A, "One"]).unwrap().iter().map(|entry| entry.place).collect();
        assert_eq!(places, [1, 2]);
        let problems = of(&["one", "three", "four"]).unwrap_err();
        assert_eq!(problems.lines().count(), 2, "{problems}");
    }
}
