//! GUIDs from seeded numbers.

/// Turns 128 random bits into a GUID of version 4.
pub(crate) const fn version_4(bits: u128) -> u128 {
    (bits & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62)
}

/// Writes `guid` as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower case.
pub(crate) fn push(out: &mut String, guid: u128) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut digits = 32_u32;
    for (place, slot) in text.iter_mut().enumerate() {
        if !matches!(place, 8 | 13 | 18 | 23) {
            digits -= 1;
            *slot = DIGITS[((guid >> (digits * 4)) & 0xf) as usize];
        }
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// `guid` as text.
pub(crate) fn text(guid: u128) -> String {
    let mut out = String::with_capacity(36);
    push(&mut out, guid);
    out
}

/// Reads the form that [`push`] writes, in any case. `None` for every other text.
pub(crate) fn parse(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    let dashes = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|&place| bytes[place] == b'-');
    if !dashes {
        return None;
    }
    let mut guid = 0_u128;
    for (place, &byte) in bytes.iter().enumerate() {
        if !matches!(place, 8 | 13 | 18 | 23) {
            guid = guid << 4 | u128::from((byte as char).to_digit(16)?);
        }
    }
    Some(guid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_and_number_are_one(bits: u128) {
            let guid = version_4(bits);
            prop_assert_eq!(parse(&text(guid)), Some(guid));
            prop_assert_eq!(text(guid).as_bytes()[14], b'4');
            prop_assert!(matches!(text(guid).as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        }
    }

    #[test]
    fn other_texts_are_no_guid() {
        for text in [
            "",
            "f28ab78a-d401-4060-8012-736e373933e",
            "{f28ab78a-d401-4060-8012-736e373933e}",
            "x".repeat(36).as_str(),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("F28AB78A-D401-4060-8012-736E373933EB").is_some());
    }
}
