//! The keys of an entry, and the app settings that they stand for.

/// What kind of value a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// An array of texts or numbers, or a text with commas.
    Words,
    /// A text, or any JSON: a map of labels.
    TextOrJson,
}

/// A key of an entry that stands for an app setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written in an entry.
    pub name: &'static str,
    /// The app setting whose place it takes.
    pub setting: &'static str,
    /// What it takes.
    pub form: Form,
}

/// The tenant's id; the one key that an entry must have.
pub const TENANT_ID: &str = "tenantId";
/// What people call the tenant.
pub const NAME: &str = "name";
/// Whether it is read; `true` where absent.
pub const ENABLED: &str = "enabled";

const fn key(name: &'static str, setting: &'static str, form: Form) -> Key {
    Key { name, setting, form }
}

/// Every key that stands for an app setting. [`NAME`] and [`ENABLED`] stand for none.
pub const KEYS: [Key; 12] = [
    key(TENANT_ID, "M365_TENANT_ID", Form::Text),
    key("cloud", "M365_CLOUD", Form::Text),
    key("clientId", "M365_CLIENT_ID", Form::Text),
    key("contentTypes", "CONTENT_TYPES", Form::Words),
    key("recordTypes", "RECORD_TYPES", Form::Words),
    key("operations", "OPERATIONS", Form::Words),
    key("heartbeats", "HEARTBEATS", Form::Text),
    key("labels", "LABELS", Form::TextOrJson),
    key("publisherId", "PUBLISHER_ID", Form::Text),
    key("dataCollectionEndpoint", "DATA_COLLECTION_ENDPOINT", Form::Text),
    key("dcrRuleId", "LOGS_DCR_RULE_ID", Form::Text),
    key("dcrStreamName", "LOGS_DCR_STREAM_NAME", Form::Text),
];

/// The key that stands for `setting`.
#[must_use]
pub fn of_setting(setting: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.setting == setting)
}

/// The names of all keys, with commas, for people.
#[must_use]
pub fn names() -> String {
    let [first, others @ ..] = &KEYS;
    let names = [first.name, NAME, ENABLED].into_iter().chain(others.iter().map(|key| key.name));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SETTINGS;

    #[test]
    fn each_key_stands_for_a_setting_that_there_is_and_that_is_no_secret() {
        for key in KEYS {
            let setting = SETTINGS.iter().find(|setting| setting.name == key.setting).unwrap();
            assert!(!setting.secret, "{}", key.name);
        }
    }

    #[test]
    fn people_are_told_every_key() {
        assert!(names().starts_with("tenantId, name, enabled, cloud, clientId, "), "{}", names());
        assert!(KEYS.iter().all(|key| names().split(", ").any(|name| name == key.name)));
    }
}
