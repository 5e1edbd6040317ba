//! What an SDK error says, for people: one line, the innermost cause, no secret.

use std::error::Error;

use azure_core::credentials::Secret;

/// Longest text that is taken over from a service, in characters.
const LONGEST: usize = 500;

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "***";

/// How signed tokens begin: `{"` in base64url.
const JWT: &str = "eyJ";

/// The innermost cause of `error` in one line, with `secrets`, tokens and the queries of URLs cut out. The SDK's top
/// line says only that it gave up, and its chain holds whole URLs.
pub(super) fn reason(error: &(dyn Error + 'static), secrets: &[&Secret]) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let mut text = described(&innermost.to_string());
    for secret in secrets.iter().map(|secret| secret.secret()).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, HIDDEN);
    }
    let words: Vec<_> = text.split_whitespace().map(scrubbed).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Microsoft Entra ID puts line breaks into its descriptions, and the SDK (azure_identity 1.0) reads those only where
/// nothing in them is escaped. The description is then in the complaint of the parser, quoted.
fn described(text: &str) -> String {
    let quoted =
        text.strip_prefix("invalid type: string \"").and_then(|rest| rest.split_once("\", expected a borrowed"));
    match quoted {
        Some((description, _)) => description.replace("\\r", " ").replace("\\n", " ").replace("\\\"", "\""),
        None => text.to_owned(),
    }
}

fn scrubbed(word: &str) -> String {
    let query = word.find("://").and_then(|scheme| word[scheme..].find('?').map(|query| scheme + query));
    let cut = [query, word.find(JWT)].into_iter().flatten().min();
    match cut {
        Some(start) => format!("{}{HIDDEN}", &word[..start]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::error::ErrorKind;
    use proptest::prelude::*;

    fn said(text: &str) -> azure_core::Error {
        azure_core::Error::with_message(ErrorKind::Credential, text.to_owned())
    }

    #[test]
    fn the_innermost_cause_is_told_in_one_line() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "Connection\r\n  refused");
        let outer =
            azure_core::Error::with_error(ErrorKind::Credential, said("outer").with_context("top"), "top of all");
        assert_eq!(reason(&outer, &[]), "outer");
        assert_eq!(reason(&azure_core::Error::new(ErrorKind::Io, refused), &[]), "Connection refused");
    }

    #[test]
    fn queries_tokens_and_known_secrets_are_cut_out() {
        let secret = Secret::from("hunter2");
        for (text, line) in [
            (
                "failed for https://a.blob.core.windows.net/c?sv=1&sig=abc (refused)",
                "failed for https://a.blob.core.windows.net/c*** (refused)",
            ),
            ("{\"access_token\":\"eyJhbGciOi.eyJ\"}", "{\"access_token\":\"***"),
            ("client_secret=hunter2 is wrong", "client_secret=*** is wrong"),
            ("who? me", "who? me"),
            (
                "invalid type: string \"AADSTS1: \\\"a\\\".\\r\\nTrace ID: hunter2\", expected a borrowed string at line 1",
                "AADSTS1: \"a\". Trace ID: ***",
            ),
        ] {
            assert_eq!(reason(&said(text), &[&secret]), line);
        }
    }

    proptest! {
        #[test]
        fn the_line_is_bounded_and_without_the_secret(before in any::<String>(), after in any::<String>(), key in "[a-z0-9]{16,40}") {
            let secret = Secret::from(key.clone());
            let line = reason(&said(&format!("{before}{key}{after}")), &[&secret]);
            prop_assert!(!line.contains(&key));
            prop_assert!(line.chars().count() <= LONGEST + 3);
            prop_assert!(!line.contains(['\n', '\r']));
        }
    }
}
