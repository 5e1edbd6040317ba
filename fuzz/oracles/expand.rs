//! Long inputs from short ones: limits of 64 KB and more are out of the reach of inputs that a fuzzer keeps.

/// No expanded input is longer, in bytes.
const LONGEST: usize = 1_200_000;

/// Begins a repetition: this byte, `times`, `length`, then a piece of 1 to 64 bytes (`length` modulo 64, plus 1) that
/// stands `times` x 64 times. JSON has no use for the byte.
const REPEAT: u8 = 0x01;

/// `data` with its repetitions carried out.
pub fn expand(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((&byte, after)) = rest.split_first() {
        match after {
            [times, length, after @ ..] if byte == REPEAT && after.len() > usize::from(length % 64) => {
                let (piece, after) = after.split_at(usize::from(length % 64) + 1);
                for _ in 0..usize::from(*times) * 64 {
                    if out.len() + piece.len() > LONGEST {
                        break;
                    }
                    out.extend_from_slice(piece);
                }
                rest = after;
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}
