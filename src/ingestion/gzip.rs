//! The body of a POST: rows as a JSON array, compressed.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::IngestionError;

/// The fastest level: batches are cut by their uncompressed size, so that a better ratio saves no POST, and processor
/// time is what a small Functions instance lacks.
const LEVEL: Compression = Compression::fast();

/// The part of the rows' size that the buffer is made for: rows are repetitive and shrink to less.
const LIKELY_RATIO: usize = 4;

/// The rows `part` (JSON values with commas between them) as a gzipped array. Runs off the async threads: a full batch
/// takes some milliseconds.
pub(super) async fn gzip(part: Bytes) -> Result<Bytes, IngestionError> {
    match tokio::task::spawn_blocking(move || compress(&part)).await {
        Ok(Ok(body)) => Ok(body.into()),
        Ok(Err(error)) => Err(IngestionError::Gzip(error.to_string())),
        Err(error) => Err(IngestionError::Gzip(error.to_string())),
    }
}

/// The rows `part`, as [`crate::batch::Batch::part`] has them, as a gzipped array: the body of a POST.
///
/// # Errors
/// None are known: it writes to memory.
pub fn compress(part: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(part.len() / LIKELY_RATIO + 64), LEVEL);
    encoder.write_all(b"[")?;
    encoder.write_all(part)?;
    encoder.write_all(b"]")?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_unpacked_is_the_array(part in prop::collection::vec(any::<u8>(), 0..5000)) {
            let packed = compress(&part).unwrap();
            let mut array = Vec::new();
            flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut array).unwrap();
            prop_assert_eq!(array, [b"[", part.as_slice(), b"]"].concat());
        }
    }
}
