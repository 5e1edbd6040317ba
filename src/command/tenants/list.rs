//! `labelstream tenants list`.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use clap::Args;
use labelstream::{
    plain::table,
    settings::{Needs, process_environment},
    telemetry::one_line,
    tenants::{self, Entry, EntryFault, ReadError, Source, key::KEYS},
};
use serde_json::{Map, Value, json};

use super::say_whether_it_is_read;
use crate::command::{print, say, started_runtime, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # all tenants
  labelstream tenants list
  labelstream tenants list --state ./state
  # the ids of all of them
  labelstream tenants list --json | jq -r '.tenants[].tenantId'

Entries are judged with the app settings of the environment. A bad one stops its tenant alone, and is told with each key that is wrong.

Exit status: 0 done, whatever is wrong with entries; 1 the state could not be read; 2 wrong use, also no list.")]
pub struct ListArguments {
    /// One JSON object in place of the table.
    #[arg(long)]
    json: bool,
}

/// The longest value that is shown in the table, in characters. The JSON has all of it.
const SHOWN: usize = 40;

pub fn list(arguments: &ListArguments, state: Option<&Path>) -> ExitCode {
    let source = Source::of(&process_environment).unwrap_or(Source::State);
    let runtime = match started_runtime() {
        Ok(runtime) => runtime,
        Err(status) => return status,
    };
    let store = match (source == Source::State).then(|| super::state(state)).transpose() {
        Ok(store) => store,
        Err(status) => return status,
    };
    let list = match runtime.block_on(tenants::read(&source, store.as_ref())) {
        Ok(list) => list,
        Err(error @ ReadError::State(_)) => {
            say(&format!("failed: {error}"));
            return ExitCode::FAILURE;
        }
        Err(error) => return wrong_use(&error.to_string()),
    };
    let judged: Vec<_> = list.entries().iter().map(Judged::of).collect();
    let text = if arguments.json {
        let entries: Vec<_> = judged.iter().map(Judged::json).collect();
        format!("{:#}\n", json!({"source": source.name(), "tenants": entries}))
    } else {
        text(&source, &judged)
    };
    say_whether_it_is_read();
    print(&text, ExitCode::SUCCESS)
}

/// An entry, what of it differs from the app settings, and what is wrong.
struct Judged<'a> {
    entry: &'a Entry,
    differs: Vec<(&'static str, &'a str)>,
    faults: Vec<EntryFault>,
}

impl<'a> Judged<'a> {
    fn of(entry: &'a Entry) -> Self {
        let (_, others) = KEYS.split_at(1);
        let differs = others.iter().filter_map(|key| {
            let own = entry.setting(key.setting)?;
            let is_other = process_environment(key.setting).is_none_or(|shared| shared.trim() != own);
            is_other.then_some((key.name, own))
        });
        let needs = Needs { ingestion: true, storage: false };
        let faults = entry.settings(&process_environment, needs).err().map(|error| error.faults).unwrap_or_default();
        Self { entry, differs: differs.collect(), faults }
    }

    fn row(&self) -> Vec<String> {
        let differs: Vec<_> = self.differs.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
        vec![
            self.entry.name.clone().unwrap_or_else(|| "-".to_owned()),
            self.entry.id.clone().unwrap_or_else(|| format!("(entry {})", self.entry.place)),
            if self.entry.enabled { "enabled" } else { "disabled" }.to_owned(),
            if differs.is_empty() { "-".to_owned() } else { differs.join(" ") },
        ]
    }

    fn json(&self) -> Value {
        let differs: Map<_, _> =
            self.differs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let faults: Vec<_> =
            self.faults.iter().map(|fault| json!({"key": fault.key, "problem": fault.problem})).collect();
        let Entry { place, id, name, enabled, .. } = self.entry;
        json!({
            "place": place, "tenantId": id, "name": name, "enabled": enabled, "differs": differs, "faults": faults,
        })
    }
}

fn shown(value: &str) -> String {
    let line = one_line(value);
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

fn text(source: &Source, judged: &[Judged<'_>]) -> String {
    let disabled = judged.iter().filter(|judged| !judged.entry.enabled).count();
    let mut text = format!("{}: {} tenants", source.name(), judged.len());
    if disabled > 0 {
        text.push_str(&format!(", {disabled} of them disabled"));
    }
    text.push('\n');
    if !judged.is_empty() {
        let mut rows = vec![["name", "id", "state", "differs from the app settings"].map(str::to_owned).to_vec()];
        rows.extend(judged.iter().map(Judged::row));
        text.push_str(&format!("\n{}", table(&rows)));
    }
    text.push_str(&faults(judged));
    text
}

/// What is wrong: of an app setting once, of an entry with its tenant.
fn faults(judged: &[Judged<'_>]) -> String {
    let (mut text, mut shared) = (String::new(), BTreeMap::<String, usize>::new());
    for Judged { entry, faults, .. } in judged {
        let mut own = Vec::new();
        for fault in faults {
            if fault.is_left_to_setting {
                *shared.entry(fault.to_string()).or_default() += 1;
            } else {
                own.push(fault);
            }
        }
        if !own.is_empty() {
            text.push_str(&format!("\n{}\n", entry.label()));
        }
        own.iter().for_each(|fault| text.push_str(&format!("  fault: {fault}\n")));
    }
    if !shared.is_empty() {
        text.push_str("\nThe app settings\n");
    }
    for (fault, number) in shared {
        text.push_str(&format!("  fault of {number} of {} tenants: {fault}\n", judged.len()));
    }
    text
}
