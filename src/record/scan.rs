//! Finding the bytes that shape JSON, eight at a time inside strings.

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The same byte eight times.
const fn all(byte: u8) -> u64 {
    byte as u64 * LOW_BITS
}

/// Where the first `"` or `\` at or after `from` is, or the length where there is none.
pub(crate) fn quote_or_backslash(bytes: &[u8], from: usize) -> usize {
    // The high bit of each such byte. Only the lowest is exact, which is all that is used.
    let marks = |word: u64| {
        let (quotes, backslashes) = (word ^ all(b'"'), word ^ all(b'\\'));
        (quotes.wrapping_sub(LOW_BITS) | backslashes.wrapping_sub(LOW_BITS)) & !word & HIGH_BITS
    };
    find(bytes, from, marks, |byte| matches!(byte, b'"' | b'\\'))
}

/// Where the first `"`, `\` or control character at or after `from` is, or the length where there is none.
pub(crate) fn quote_backslash_or_control(bytes: &[u8], from: usize) -> usize {
    let marks = |word: u64| {
        let (quotes, backslashes) = (word ^ all(b'"'), word ^ all(b'\\'));
        let controls = word.wrapping_sub(all(0x20));
        (quotes.wrapping_sub(LOW_BITS) | backslashes.wrapping_sub(LOW_BITS) | controls) & !word & HIGH_BITS
    };
    find(bytes, from, marks, |byte| matches!(byte, b'"' | b'\\' | 0..0x20))
}

/// Where the first byte is that `is_one` tells; `marks` has a high bit for it in a word of eight bytes, the first lowest.
#[inline(always)]
fn find(bytes: &[u8], from: usize, marks: impl Fn(u64) -> u64, is_one: impl Fn(u8) -> bool) -> usize {
    let from = from.min(bytes.len());
    let mut at = from;
    let (words, rest) = bytes[from..].as_chunks::<8>();
    for word in words {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + rest.iter().position(|byte| is_one(*byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_byte_by_byte_search_finds(
            bytes in prop::collection::vec(
                prop_oneof![4 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\'), 1 => 0x1E_u8..0x24, 1 => 0x5B_u8..0x5E],
                0..40,
            ),
            from in 0_usize..44,
        ) {
            let plain = |is_one: fn(u8) -> bool| (from..bytes.len()).find(|&at| is_one(bytes[at])).unwrap_or(bytes.len());
            prop_assert_eq!(quote_or_backslash(&bytes, from), plain(|byte| matches!(byte, b'"' | b'\\')));
            let with_controls = plain(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(quote_backslash_or_control(&bytes, from), with_controls);
        }
    }
}
