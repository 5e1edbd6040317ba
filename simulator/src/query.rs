//! Query strings and forms: pairs of percent-encoded text.

/// The first value of `name` in `query`, decoded. `None` where it is absent; an empty value is `Some("")`.
pub(crate) fn value(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        decode(key).eq_ignore_ascii_case(name).then(|| decode(value))
    })
}

/// Undoes percent-encoding, and `+` for a blank. What is no valid escape stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, next) = match (first, escaped(tail)) {
            (b'%', Some(byte)) => (byte, &tail[2..]),
            (b'+', _) => (b' ', tail),
            _ => (first, tail),
        };
        bytes.push(byte);
        rest = next;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Undoes percent-encoding in a path, where `+` is itself.
pub(crate) fn decode_path(text: &str) -> String {
    decode(&text.replace('+', "%2B"))
}

fn escaped(digits: &[u8]) -> Option<u8> {
    let pair = std::str::from_utf8(digits.get(..2)?).ok()?;
    u8::from_str_radix(pair, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = "contentType=Audit.General&startTime=2026-01-01T00%3A00%3A00&empty=&flag";
        assert_eq!(value(query, "startTime").as_deref(), Some("2026-01-01T00:00:00"));
        assert_eq!(value(query, "CONTENTTYPE").as_deref(), Some("Audit.General"));
        assert_eq!(value(query, "empty").as_deref(), Some(""));
        assert_eq!(value(query, "flag").as_deref(), Some(""));
        assert_eq!(value(query, "endTime"), None);
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("a%zzb+c"), "a%zzb c");
        assert_eq!(decode_path("a+b%24c"), "a+b$c");
    }
}
