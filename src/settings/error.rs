//! What is wrong with the settings, for people.

use std::fmt;

/// One setting that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the app setting.
    pub name: &'static str,
    /// What is wrong, as the rest of a sentence that begins with the name. It holds no secret.
    pub problem: String,
    /// A good value.
    pub example: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, problem, example } = self;
        write!(f, "{name} {problem}. Example: {name}={example}")
    }
}

/// Everything that is wrong with the settings. Trying again does not help: a person has to change a setting, and the
/// process has to be started again.
///
/// `Display` writes one line for each fault below a heading; [`SettingsError::one_line`] is for stderr and logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.lines())]
pub struct SettingsError {
    /// The faults, in the order of the settings' reading. There is at least one.
    pub faults: Vec<Fault>,
}

impl SettingsError {
    /// All faults in one line, each with its example.
    #[must_use]
    pub fn one_line(&self) -> String {
        let faults: Vec<_> = self.faults.iter().map(Fault::to_string).collect();
        format!("{}: {}", self.heading(), faults.join("; "))
    }

    fn lines(&self) -> String {
        self.faults.iter().fold(format!("{}:", self.heading()), |text, fault| format!("{text}\n  {fault}"))
    }

    fn heading(&self) -> String {
        match self.faults.len() {
            1 => "1 setting is missing or wrong".to_owned(),
            many => format!("{many} settings are missing or wrong"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> SettingsError {
        let missing = Fault { name: "A_NAME", problem: "is missing".to_owned(), example: "a value" };
        let wrong = Fault { name: "COUNT", problem: "is no number".to_owned(), example: "4" };
        SettingsError { faults: vec![missing, wrong] }
    }

    #[test]
    fn display_gives_each_fault_a_line_with_its_name_and_an_example() {
        assert_eq!(
            error().to_string(),
            "2 settings are missing or wrong:\n  A_NAME is missing. Example: A_NAME=a value\n  \
             COUNT is no number. Example: COUNT=4"
        );
    }

    #[test]
    fn one_line_is_one_line_with_every_name() {
        assert_eq!(
            error().one_line(),
            "2 settings are missing or wrong: A_NAME is missing. Example: A_NAME=a value; COUNT is no number. Example: COUNT=4"
        );
    }
}
