//! Finding the bytes that shape JSON, eight at a time inside strings.

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte of `word` that equals `byte`. Exact for the lowest such byte, which is all that is used.
const fn equal(word: u64, byte: u8) -> u64 {
    let differing = word ^ (byte as u64 * LOW_BITS);
    differing.wrapping_sub(LOW_BITS) & !differing & HIGH_BITS
}

/// Where the first `"` or `\` at or after `from` is, or the length where there is none.
pub(crate) fn quote_or_backslash(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let found = equal(word, b'"') | equal(word, b'\\');
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\') {
            break;
        }
        at += 1;
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_byte_by_byte_search_finds(
            bytes in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\')], 0..40),
            from in 0_usize..44,
        ) {
            let plain = (from..bytes.len()).find(|&at| matches!(bytes[at], b'"' | b'\\')).unwrap_or(bytes.len());
            prop_assert_eq!(quote_or_backslash(&bytes, from), plain);
        }
    }
}
