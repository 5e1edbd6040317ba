//! Where the list is.

use std::path::PathBuf;

/// The app setting that names the list, and by which a deployment is one of many tenants.
pub const TENANTS: &str = "TENANTS";

/// Where the list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the setting itself.
    Inline(String),
    /// In a file.
    File(PathBuf),
    /// In the state container, or the state's folder.
    State,
}

impl Source {
    /// What [`TENANTS`] says; `None` where it is unset or blank, and one tenant is read.
    #[must_use]
    pub fn of(environment: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let text = environment(TENANTS)?;
        let text = text.trim().trim_start_matches('\u{feff}');
        match text {
            "" => None,
            state if state.eq_ignore_ascii_case("state") => Some(Self::State),
            // What begins as JSON is JSON, good or bad: a path is never asked for by the text of a list.
            json if json.starts_with(['[', '{']) => Some(Self::Inline(json.to_owned())),
            path => Some(Self::File(path.into())),
        }
    }

    /// How people name it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Inline(_) => TENANTS.to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::State => format!("{} of the state", super::LIST_KEY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_an_array_a_file_or_the_state() {
        let of = |text: &str| Source::of(&|name| (name == TENANTS).then(|| text.to_owned()));
        assert_eq!(of(" State "), Some(Source::State));
        assert_eq!(of(" [] "), Some(Source::Inline("[]".to_owned())));
        assert_eq!(of("{}"), Some(Source::Inline("{}".to_owned())));
        assert_eq!(of("/etc/tenants.json"), Some(Source::File("/etc/tenants.json".into())));
        assert_eq!((of(" "), Source::of(&|_| None)), (None, None));
    }
}
