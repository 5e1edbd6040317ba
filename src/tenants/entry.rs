//! One entry of the list: the settings of one tenant.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    fault::{EntryFault, TenantError},
    key::{self, ENABLED, Form, KEYS, Key, NAME, TENANT_ID},
};
use crate::settings::{Needs, Settings, guid};

/// One entry, as far as it can be judged by itself. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the list, from 1 on.
    pub place: usize,
    /// The tenant, a GUID in lower case with hyphens; `None` where the entry has none that is one.
    pub id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is read.
    pub enabled: bool,
    /// What stands in the place of app settings, by their names.
    settings: BTreeMap<&'static str, String>,
    faults: Vec<EntryFault>,
}

impl Entry {
    /// Reads the entry at `place`.
    pub(super) fn read(place: usize, value: &Value) -> Self {
        let mut entry =
            Self { place, id: None, name: None, enabled: true, settings: BTreeMap::new(), faults: Vec::new() };
        let Value::Object(fields) = value else {
            entry.faults.push(EntryFault::new("it", "is no JSON object"));
            return entry;
        };
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            if let Err(problem) = entry.take(name, value) {
                entry.faults.push(EntryFault::new(shown(name), problem));
            }
        }
        entry.id = entry.settings.get("M365_TENANT_ID").and_then(|id| guid(id).ok());
        if missing(fields, TENANT_ID) {
            entry.faults.insert(0, EntryFault::new(TENANT_ID, "is missing: the tenant to read, a GUID"));
        }
        entry
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), String> {
        match (name, value) {
            (NAME, Value::String(name)) if !name.trim().is_empty() => self.name = Some(one_line(name)),
            (NAME, _) => return Err("is no text".to_owned()),
            (ENABLED, Value::Bool(enabled)) => self.enabled = *enabled,
            (ENABLED, _) => return Err("is neither true nor false".to_owned()),
            _ => {
                let key = KEYS.iter().find(|key| key.name == name).ok_or_else(|| unknown(name))?;
                if let Some(text) = text(key, value)? {
                    self.settings.insert(key.setting, text);
                }
            }
        }
        Ok(())
    }

    /// Adds what can only be seen beside the other entries.
    pub(super) fn add_fault(&mut self, key: &str, problem: String) {
        self.faults.push(EntryFault::new(key, problem));
    }

    /// The tenant as people know it: its name and id, or the entry's place.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.name, &self.id) {
            (Some(name), Some(id)) => format!("{name} ({id})"),
            (None, Some(id)) => id.clone(),
            (Some(name), None) => format!("{name} (entry {})", self.place),
            (None, None) => format!("entry {}", self.place),
        }
    }

    /// The shortest text by which people know the tenant.
    #[must_use]
    pub fn short_label(&self) -> String {
        self.name.clone().or_else(|| self.id.clone()).unwrap_or_else(|| self.label())
    }

    /// What the entry says in place of the app setting `name`.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// The environment of this tenant: its entry over the app settings.
    pub fn environment<'a>(
        &'a self,
        environment: &'a dyn Fn(&str) -> Option<String>,
    ) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| match self.settings.get(name) {
            Some(text) => Some(text.clone()),
            // Whose tenant it is comes from the entry alone.
            None if name == "M365_TENANT_ID" => None,
            None => environment(name),
        }
    }

    /// The settings of this tenant: its entry over the app settings that `environment` gives.
    ///
    /// # Errors
    /// Everything that is wrong with the entry, and with the app settings that it leaves to.
    pub fn settings(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
        needs: Needs,
    ) -> Result<Settings, Box<TenantError>> {
        let read = Settings::read(&self.environment(environment), needs);
        let has = |name: &str| self.settings.contains_key(name);
        let mut faults = self.faults.clone();
        match read {
            Ok(settings) if faults.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(error) => {
                let told = |fault: &EntryFault| !faults.iter().any(|known| known.key == fault.key);
                let more: Vec<_> =
                    TenantError::of_settings(String::new(), &error, &has).faults.into_iter().filter(told).collect();
                faults.extend(more);
            }
        }
        Err(Box::new(TenantError { tenant: self.label(), faults }))
    }
}

fn missing(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name).is_none_or(|value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()))
}

/// The value as the app setting would have it; `None` where it is blank.
fn text(key: &Key, value: &Value) -> Result<Option<String>, String> {
    let text = match (key.form, value) {
        (_, Value::String(text)) => text.trim().to_owned(),
        (Form::Words, Value::Array(words)) => words.iter().map(word).collect::<Result<Vec<_>, _>>()?.join(","),
        (Form::TextOrJson, Value::Object(_) | Value::Array(_)) => value.to_string(),
        (Form::Text, _) => return Err("is no text".to_owned()),
        (Form::Words, _) => return Err("is neither an array of texts nor a text with commas".to_owned()),
        (Form::TextOrJson, _) => return Err("is neither a text nor a map".to_owned()),
    };
    match text.is_empty() {
        true if matches!(value, Value::Array(_)) => Err("is a list without an entry".to_owned()),
        true => Ok(None),
        false => Ok(Some(text)),
    }
}

fn word(value: &Value) -> Result<String, String> {
    match value {
        Value::String(word) if word.contains(',') => Err("has an entry with a comma in it".to_owned()),
        Value::String(word) => Ok(word.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("has an entry that is neither a text nor a number".to_owned()),
    }
}

fn unknown(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if ["secret", "password", "certificate"].iter().any(|word| lower.contains(word)) {
        return "does not belong here: no secret is ever in the list. M365_CLIENT_SECRET, \
                M365_CLIENT_CERTIFICATE_PATH and M365_FEDERATED_IDENTITY are app settings"
            .to_owned();
    }
    match KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(name)) {
        Some(key) => format!("is no key; it is written {}", key.name),
        None => format!("is no key; there are {}", key::names()),
    }
}

/// The longest name that is shown, in characters.
const SHOWN: usize = 60;

/// A key of someone else's choice, in one short line.
fn shown(name: &str) -> String {
    one_line(name)
}

fn one_line(text: &str) -> String {
    text.trim().chars().map(|char| if char.is_control() { ' ' } else { char }).take(SHOWN).collect()
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
