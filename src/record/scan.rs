//! Finding the bytes that end a piece of a JSON string, sixteen at a time.

/// Where the first `"`, `\` or control character (below 0x20) at or after `from` is, or the length where there is none.
pub(crate) fn string_stop(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let (blocks, tail) = rest.as_chunks::<16>();
    let mut at = from;
    for block in blocks {
        let stops = stops(*block);
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += 16;
    }
    at + tail.iter().position(|byte| is_stop(*byte)).unwrap_or(tail.len())
}

const fn is_stop(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// A bit for each byte that is one of those.
#[cfg(target_arch = "x86_64")]
fn stops(block: [u8; 16]) -> u32 {
    // Every such processor has these: the compiler turns each into one instruction.
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
    let block = u128::from_le_bytes(block).cast_signed();
    let block: __m128i = _mm_set_epi64x((block >> 64) as i64, block as i64);
    let quotes = _mm_cmpeq_epi8(block, all(b'"'));
    let backslashes = _mm_cmpeq_epi8(block, all(b'\\'));
    let controls = _mm_cmpeq_epi8(_mm_min_epu8(block, all(0x1F)), block);
    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls)).cast_unsigned()
}

/// The same elsewhere.
#[cfg(not(target_arch = "x86_64"))]
fn stops(block: [u8; 16]) -> u32 {
    plain_stops(block)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn plain_stops(block: [u8; 16]) -> u32 {
    (0..).zip(block).filter(|(_, byte)| is_stop(*byte)).map(|(at, _)| 1 << at).sum()
}
