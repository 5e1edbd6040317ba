//! Reads settings one by one and gathers what is wrong with them.

use super::{
    error::Fault,
    table::{Setting, Unset},
};

/// Gives the value of a setting.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads settings and remembers every fault. A `None` of its methods means that the fault is noted.
pub(super) struct Reader<'a> {
    environment: Environment<'a>,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: Environment<'a>) -> Self {
        Self { environment, faults: Vec::new() }
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// The trimmed text of a setting, or `None` where it is unset or blank. App settings are often pasted.
    pub(super) fn text(&self, setting: &Setting) -> Option<String> {
        (self.environment)(setting.name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Notes that `setting` is wrong. `problem` goes on after its name, and holds no secret.
    pub(super) fn fault(&mut self, setting: &Setting, problem: impl Into<String>) {
        self.faults.push(Fault { name: setting.name, problem: problem.into(), example: setting.example });
    }

    /// `Some(None)` where the setting is unset.
    pub(super) fn optional<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.text(setting) {
            None => Some(None),
            Some(text) => self.parsed(setting, &text, parse).map(Some),
        }
    }

    /// The setting, or `default` where it is unset; both are parsed alike.
    pub(super) fn or<T>(
        &mut self,
        setting: &Setting,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(setting);
        self.parsed(setting, text.as_deref().unwrap_or(default), parse)
    }

    /// The setting, or what the table says of it where it is unset: its default, or a fault.
    pub(super) fn or_default<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match (self.text(setting), setting.unset) {
            (Some(text), _) => self.parsed(setting, &text, parse),
            (None, Unset::Value(default)) => self.parsed(setting, default, parse),
            (None, Unset::Required(_) | Unset::Means(_)) => {
                self.fault(setting, "is missing");
                None
            }
        }
    }

    fn parsed<T>(&mut self, setting: &Setting, text: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(text).map_err(|problem| self.fault(setting, problem)).ok()
    }
}
