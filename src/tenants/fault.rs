//! What is wrong with an entry, for people.

use std::fmt;

use super::key;
use crate::settings::{Fault, SettingsError};

/// One thing that is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFault {
    /// The key of the entry, or the app setting that it leaves to.
    pub key: String,
    /// What is wrong, as the rest of a sentence that begins with the key. It holds no secret.
    pub problem: String,
    /// Whether the entry leaves this to an app setting, which is what is wrong: other tenants have the same fault.
    pub is_left_to_setting: bool,
}

impl EntryFault {
    /// A fault of `key`.
    pub(super) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into(), is_left_to_setting: false }
    }

    /// What the settings of a tenant are at fault for, by the entry's key where it has one. `has` tells whether the
    /// entry sets the key itself; where it does not, the app setting is the one to be looked at as well.
    fn of_setting(fault: &Fault, has: &dyn Fn(&str) -> bool) -> Self {
        let Fault { name, problem, example } = fault;
        match key::of_setting(name) {
            Some(key) if has(name) => {
                Self::new(key.name, format!("{problem}. Example: \"{}\": \"{example}\"", key.name))
            }
            left => {
                let (key, problem) = match left {
                    Some(key) => (key.name, format!("is left to the app setting {name}, which {problem}")),
                    None => (*name, problem.clone()),
                };
                let problem = format!("{problem}. Example: {name}={example}");
                Self { is_left_to_setting: true, ..Self::new(key, problem) }
            }
        }
    }
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.problem)
    }
}

/// Why one tenant cannot be read: everything that is wrong with its entry, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantError {
    /// Which tenant, as people know it.
    pub tenant: String,
    /// The faults; at least one.
    pub faults: Vec<EntryFault>,
}

impl TenantError {
    pub(super) fn of_settings(tenant: String, error: &SettingsError, has: &dyn Fn(&str) -> bool) -> Self {
        Self { tenant, faults: error.faults.iter().map(|fault| EntryFault::of_setting(fault, has)).collect() }
    }
}

impl fmt::Display for TenantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.faults.iter().map(EntryFault::to_string).collect();
        write!(f, "{}: {}", self.tenant, faults.join("; "))
    }
}

impl std::error::Error for TenantError {}
