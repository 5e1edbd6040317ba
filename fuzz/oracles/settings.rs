//! App settings.
//!
//! Input: a byte that says what the command needs (1: ingestion, 2: storage), then a line `NAME=value` for each setting.
//! In the values of secret settings 0x02 stands for a secret. Judged are:
//! - every fault names a setting and is one line, without any secret;
//! - what is read shows no secret;
//! - the same environment is read as the same.

use std::collections::HashMap;

use labelstream::{
    settings::{Needs, SETTINGS, Settings},
    state::connection::StorageAccount,
};

use super::{Reached, shown::one_line};

/// What the corpus is to reach.
pub const REACHES: &[&str] = &["settings", "faults", "a storage account", "no storage account", "a secret"];

/// Base64, as account keys are.
const SECRET: &str = "bm90IGEgcmVhbCBrZXksIGJ1dCBsb25nIGVub3VnaCBmb3IgdGhlIHRlc3Q=";

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let mut reached = Reached::new();
    let Some((&needs, lines)) = data.split_first() else { return reached };
    let needs = Needs { ingestion: needs & 1 != 0, storage: needs & 2 != 0 };
    let environment = environment(&String::from_utf8_lossy(lines), &mut reached);

    let given = |name: &str| environment.get(name).cloned();
    let read = Settings::read(&given, needs);
    without_secret(&format!("{read:?}"));
    match &read {
        Ok(settings) => {
            assert_eq!((settings.ingestion.is_some(), settings.storage.is_some()), (needs.ingestion, needs.storage));
            reached.push("settings");
        }
        Err(error) => {
            assert!(!error.faults.is_empty());
            for fault in &error.faults {
                assert!(SETTINGS.iter().any(|setting| setting.name == fault.name), "{} is no setting", fault.name);
                one_line(&fault.to_string(), 600);
            }
            without_secret(&error.one_line());
            reached.push("faults");
        }
    }
    assert_eq!(Settings::read(&given, needs), read, "the same environment is read as the same");

    if let Some(text) = environment.get("AzureWebJobsStorage") {
        match StorageAccount::from_connection_string(text) {
            Ok(account) => {
                // An address is shown: what was put there is no secret.
                without_secret(&format!("{account:?}").replace(account.endpoint().as_str(), ""));
                reached.push("a storage account");
            }
            Err(error) => {
                one_line(&error.to_string(), 600);
                without_secret(&format!("{error} {error:?}"));
                reached.push("no storage account");
            }
        }
    }
    reached
}

fn environment(lines: &str, reached: &mut Reached) -> HashMap<String, String> {
    let mut environment = HashMap::new();
    for (name, value) in lines.lines().filter_map(|line| line.split_once('=')) {
        let secret = SETTINGS.iter().any(|setting| setting.secret && setting.name == name);
        // Chance must not bring the secret to where none belongs.
        let value = value.replace(SECRET, "");
        if secret && value.contains('\x02') {
            reached.push("a secret");
        }
        let value = value.replace('\x02', if secret { SECRET } else { "" });
        environment.insert(name.to_owned(), value);
    }
    environment
}

fn without_secret(text: &str) {
    assert!(!text.contains(&SECRET[..SECRET.len() - 1]), "a secret is shown: {text}");
}
