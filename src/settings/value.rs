//! What one value must look like. Every error is the rest of a sentence that begins with the setting's name.
//!
//! Identifiers are never quoted in an error: a secret pasted into the wrong setting would be shown.

use std::ops::RangeInclusive;

use uuid::Uuid;

/// Longest piece of a value that an error quotes, in characters.
const QUOTED: usize = 40;

/// A GUID, in lower case with hyphens. Braces around it are tolerated, as PowerShell writes them.
pub(crate) fn guid(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    match Uuid::try_parse(bare) {
        Ok(id) if id.is_nil() => Err("is a GUID of zeros only, which is a placeholder".to_owned()),
        // `try_parse` also takes 32 digits and URNs, which the services refuse.
        Ok(id) if bare.len() == Uuid::nil().hyphenated().to_string().len() => Ok(id.hyphenated().to_string()),
        _ => Err("is not a GUID".to_owned()),
    }
}

/// One of a few words, in any case.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let known = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    known.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        format!("is {}, which is none of {}", quoted(text), words.join(", "))
    })
}

/// `true` or `false`, and what is often written for them.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    choice(text, &[("true", true), ("false", false), ("1", true), ("0", false)])
}

/// A whole number within `range`.
pub(super) fn number(text: &str, range: &RangeInclusive<u32>, unit: &str) -> Result<u32, String> {
    let wrong =
        || format!("is {}, not a whole number of {unit} from {} to {}", quoted(text), range.start(), range.end());
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
}

/// The entries of a comma list, each once, in the order of their first mention.
pub(super) fn list<T: PartialEq>(
    text: &str,
    mut parse: impl FnMut(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut entries = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let value = parse(entry)?;
        if !entries.contains(&value) {
            entries.push(value);
        }
    }
    if entries.is_empty() { Err("is a list without an entry".to_owned()) } else { Ok(entries) }
}

/// A piece of a value in quotation marks, shortened, with control characters escaped.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn guids_are_brought_to_one_form() {
        let form = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
        assert_eq!(guid(form), Ok(form.to_owned()));
        assert_eq!(guid("{4B0A6D34-6F8C-4F5E-9C1A-0D2F7A9B1E55}"), Ok(form.to_owned()));
    }

    #[test]
    fn other_forms_are_no_guid() {
        for text in ["", "contoso.onmicrosoft.com", "4b0a6d346f8c4f5e9c1a0d2f7a9b1e55", "{4b0a6d34", "é", "{}"] {
            assert_eq!(guid(text), Err("is not a GUID".to_owned()), "{text}");
        }
        assert!(guid("urn:uuid:4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55").is_err());
        assert!(guid("00000000-0000-0000-0000-000000000000").unwrap_err().contains("placeholder"));
    }

    #[test]
    fn a_choice_lists_the_valid_ones() {
        let words = [("keep", 1), ("drop", 2)];
        assert_eq!(choice("DROP", &words), Ok(2));
        assert_eq!(choice("dorp", &words).unwrap_err(), "is \"dorp\", which is none of keep, drop");
    }

    #[test]
    fn numbers_name_their_range() {
        assert_eq!(number("10", &(10..=20), "seconds"), Ok(10));
        assert_eq!(number("20", &(10..=20), "seconds"), Ok(20));
        for text in ["9", "21", "-11", "12.5", "1e1", "", "99999999999999999999"] {
            assert!(
                number(text, &(10..=20), "seconds").unwrap_err().ends_with("whole number of seconds from 10 to 20")
            );
        }
    }

    #[test]
    fn lists_skip_blanks_and_repeats() {
        let words = |text: &str| list(text, |entry| Ok(entry.to_owned()));
        assert_eq!(words(" a, ,b,a,"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(words(" , "), Err("is a list without an entry".to_owned()));
    }

    proptest! {
        #[test]
        fn quotes_are_short_and_of_one_line(text in any::<String>()) {
            let quoted = quoted(&text);
            prop_assert!(!quoted.contains(char::is_control));
            // Each character is escaped to ten at most (`\u{10ffff}`).
            prop_assert!(quoted.chars().count() <= 10 * QUOTED + 5);
        }

        #[test]
        fn what_is_read_as_a_guid_reads_as_itself(text in "\\PC{0,40}") {
            if let Ok(id) = guid(&text) {
                prop_assert_eq!(guid(&id), Ok(id));
            }
        }
    }
}
