//! Which dead letters are meant.

use super::name;

/// Which dead letters are to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    All,
    /// Those whose names (`row-3f…`), or whole keys, begin with one of these.
    Beginning(Vec<String>),
}

/// Texts that no dead letter begins with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no dead letter has a key that begins with {}; `labelstream dead-letters list` shows those that lie there", .0.join(" or "))]
pub struct UnknownLetters(pub Vec<String>);

impl Selection {
    /// Those of `keys` that are meant, in their order.
    ///
    /// # Errors
    /// A text of the selection is the beginning of none of them: nothing is to be done then, as it may be a slip.
    pub fn choose(&self, keys: &[String]) -> Result<Vec<String>, UnknownLetters> {
        let Self::Beginning(texts) = self else { return Ok(keys.to_vec()) };
        let fits = |text: &String, key: &String| {
            !text.is_empty() && (name(key).starts_with(text.as_str()) || key.starts_with(text.as_str()))
        };
        let unknown: Vec<_> = texts.iter().filter(|text| !keys.iter().any(|key| fits(text, key))).cloned().collect();
        if !unknown.is_empty() {
            return Err(UnknownLetters(unknown));
        }
        Ok(keys.iter().filter(|key| texts.iter().any(|text| fits(text, key))).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(texts: &[&str]) -> Result<Vec<String>, UnknownLetters> {
        let keys = ["row-1a", "row-1b", "content-1a"].map(|name| format!("t/dead-letters/{name}.json"));
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        let chosen = Selection::Beginning(texts).choose(&keys)?;
        Ok(chosen.iter().map(|key| name(key).to_owned()).collect())
    }

    #[test]
    fn names_and_keys_and_their_beginnings_choose() {
        assert_eq!(choose(&["row-"]).unwrap(), ["row-1a", "row-1b"]);
        assert_eq!(choose(&["row-1b", "c", "row-1"]).unwrap(), ["row-1a", "row-1b", "content-1a"]);
        assert_eq!(choose(&["t/dead-letters/row-1b.json"]).unwrap(), ["row-1b"]);
    }

    #[test]
    fn a_text_that_fits_nothing_is_told_and_nothing_is_chosen() {
        assert_eq!(choose(&["row-1a", "x", ""]), Err(UnknownLetters(vec!["x".to_owned(), String::new()])));
        assert_eq!(Selection::All.choose(&[]), Ok(vec![]));
    }
}
