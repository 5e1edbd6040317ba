//! `labelstream tenants add`.

use std::process::ExitCode;

use clap::Args;
use labelstream::{
    settings::{Needs, process_environment},
    tenants::{
        List, NoSuchTenant,
        edit::{self, EditError},
        key::{ENABLED, Form, KEYS, NAME, TENANT_ID},
    },
};
use serde_json::{Map, Value};

use super::{Stored, say_whether_it_is_read, unchanged, word};
use crate::command::{say, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # with the app settings for all that is not given
  labelstream tenants add 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55 --name Contoso
  # in a cloud of the US government
  labelstream tenants add 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55 --cloud gcchigh
  # into the list, and read by no run yet
  labelstream tenants add 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55 --disabled

The options are the keys of an entry; what is not given is left to the app settings. The entry is judged with the app settings of the environment before it is written. No secret is ever in the list.

Exit status: 0 done; 1 failed; 2 wrong use, also an entry that is not good or is there already.")]
pub struct AddArguments {
    /// The tenant to read, a GUID.
    #[arg(value_name = "TENANT_ID")]
    tenant_id: String,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Put it into the list, and leave it out of runs until `tenants enable`.
    #[arg(long)]
    disabled: bool,
    /// commercial, gcc, gcchigh or dod.
    #[arg(long, value_name = "CLOUD")]
    cloud: Option<String>,
    /// The app registration that is in this tenant.
    #[arg(long, value_name = "GUID")]
    client_id: Option<String>,
    /// Content types, with commas.
    #[arg(long, value_name = "LIST")]
    content_types: Option<String>,
    /// Record types to keep, names or numbers with commas.
    #[arg(long, value_name = "LIST")]
    record_types: Option<String>,
    /// Operations to keep, with commas.
    #[arg(long, value_name = "LIST")]
    operations: Option<String>,
    /// keep or drop.
    #[arg(long, value_name = "WORD")]
    heartbeats: Option<String>,
    /// graph, off, or the path or JSON of a map.
    #[arg(long, value_name = "WORD|MAP")]
    labels: Option<String>,
    /// The PublisherIdentifier of its feed calls.
    #[arg(long, value_name = "GUID")]
    publisher_id: Option<String>,
    /// Where its rows go.
    #[arg(long, value_name = "URL")]
    data_collection_endpoint: Option<String>,
    /// The immutable id of its data collection rule.
    #[arg(long, value_name = "ID")]
    dcr_rule_id: Option<String>,
    /// The stream of that rule.
    #[arg(long, value_name = "NAME")]
    dcr_stream_name: Option<String>,
}

impl AddArguments {
    fn option(&self, key: &str) -> Option<&String> {
        match key {
            TENANT_ID => Some(&self.tenant_id),
            "cloud" => self.cloud.as_ref(),
            "clientId" => self.client_id.as_ref(),
            "contentTypes" => self.content_types.as_ref(),
            "recordTypes" => self.record_types.as_ref(),
            "operations" => self.operations.as_ref(),
            "heartbeats" => self.heartbeats.as_ref(),
            "labels" => self.labels.as_ref(),
            "publisherId" => self.publisher_id.as_ref(),
            "dataCollectionEndpoint" => self.data_collection_endpoint.as_ref(),
            "dcrRuleId" => self.dcr_rule_id.as_ref(),
            "dcrStreamName" => self.dcr_stream_name.as_ref(),
            _ => None,
        }
    }

    /// The entry, with the keys that were given.
    fn entry(&self) -> Map<String, Value> {
        let mut entry = Map::new();
        for key in KEYS {
            if let Some(text) = self.option(key.name) {
                entry.insert(key.name.to_owned(), value(key.form, text));
            }
        }
        entry.extend(self.name.clone().map(|name| (NAME.to_owned(), name.into())));
        if self.disabled {
            entry.insert(ENABLED.to_owned(), false.into());
        }
        entry
    }
}

/// As it is written in the list.
fn value(form: Form, text: &str) -> Value {
    match form {
        Form::Text => text.into(),
        Form::Words => text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect(),
        // What is a map stands there as one; what only begins so is judged as the text that it is.
        Form::TextOrJson if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or_else(|_| text.into())
        }
        Form::TextOrJson => text.into(),
    }
}

/// The entry in its own list, judged with the app settings.
fn judged(entry: &Map<String, Value>) -> Result<(), EditError> {
    let list = List::parse(Value::from(vec![Value::Object(entry.clone())]).to_string().as_bytes())?;
    let needs = Needs { ingestion: true, storage: false };
    let judged = list.entries().iter().try_for_each(|entry| entry.settings(&process_environment, needs).map(drop));
    judged.map_err(EditError::Entry)
}

pub fn add(arguments: &AddArguments, stored: &Stored) -> ExitCode {
    let entry = arguments.entry();
    if let Err(error) = judged(&entry) {
        return match error {
            EditError::Entry(error) => {
                let faults: Vec<_> = error.faults.iter().map(|fault| format!("\n  {fault}")).collect();
                wrong_use(&format!("The entry is not good, and was not added:{}", faults.concat()))
            }
            error => unchanged(&error),
        };
    }
    let name = arguments.name.as_deref();
    let change = edit::change(stored.store.as_ref(), |list| {
        let text = edit::with(list, &entry)?;
        let is_shared = name.is_some_and(|name| has_several(&text, name));
        Ok((text, is_shared))
    });
    match stored.runtime.block_on(change) {
        Ok(is_shared) => {
            tell(arguments, stored, is_shared);
            ExitCode::SUCCESS
        }
        Err(error) => unchanged(&error),
    }
}

/// Whether several tenants of a list are called so.
fn has_several(list: &[u8], name: &str) -> bool {
    List::parse(list).is_ok_and(|list| matches!(list.find(name), Err(NoSuchTenant::Several { .. })))
}

/// What was done, and what comes next.
fn tell(arguments: &AddArguments, stored: &Stored, is_shared: bool) {
    let (id, name) = (arguments.tenant_id.trim(), arguments.name.as_deref());
    let label = name.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"));
    say(&format!("{label} is in the list{}.", if arguments.disabled { ", disabled" } else { "" }));
    if is_shared {
        say("Another tenant has the same name: in commands both are named by their ids.");
    }
    say_whether_it_is_read();
    let word = if is_shared { id } else { word(name, id) };
    say("Next:");
    say("  in the customer's tenant: an administrator grants what is needed (docs/providers.md)");
    say(&format!("  {}", stored.command(&format!("tenants check --tenant {word}"))));
    say(&format!("  {}", stored.command(&format!("connect --tenant {word}"))));
    if arguments.disabled {
        say(&format!("  {}", stored.command(&format!("tenants enable {word}"))));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;
    use serde_json::json;

    use super::*;
    use crate::command::Arguments;

    fn kebab(key: &str) -> String {
        key.chars()
            .flat_map(|char| [char.is_uppercase().then_some('-'), Some(char.to_ascii_lowercase())])
            .flatten()
            .collect()
    }

    #[test]
    fn there_is_an_option_for_each_key() {
        let mut tree = Arguments::command();
        tree.build();
        let add = tree.find_subcommand("tenants").unwrap().find_subcommand("add").unwrap();
        let options: BTreeSet<_> = add.get_arguments().filter_map(|argument| argument.get_long()).collect();
        let keys = KEYS.iter().filter(|key| key.name != TENANT_ID).map(|key| kebab(key.name));
        for option in keys.chain(["name".to_owned(), "disabled".to_owned()]) {
            assert!(options.contains(option.as_str()), "{option}");
        }
    }

    #[test]
    fn each_option_becomes_its_key() {
        use clap::Parser as _;
        let given = KEYS.iter().filter(|key| key.name != TENANT_ID).flat_map(|key| {
            [format!("--{}", kebab(key.name)), if key.name == "labels" { r#"{"a":"b"}"#.into() } else { "x, y".into() }]
        });
        let words = ["labelstream", "tenants", "add", "id"].map(str::to_owned).into_iter().chain(given);
        let parsed = Arguments::parse_from(words);
        let Some(crate::command::Command::Tenants(tenants)) = parsed.command else { panic!("{parsed:?}") };
        let super::super::Action::Add(add) = tenants.action else { panic!() };
        let entry = add.entry();
        assert_eq!(entry.len(), KEYS.len(), "{entry:?}");
        assert_eq!(
            (&entry["cloud"], &entry["operations"], &entry["labels"]),
            (&json!("x, y"), &json!(["x", "y"]), &json!({"a": "b"}))
        );
    }
}
