//! Append logs in a storage account: append blobs, written at a known position.

use azure_storage_blob::{
    AppendBlobClient,
    models::{
        AppendBlobClientAppendBlockOptions, AppendBlobClientCreateOptions, BlobClientDownloadOptions,
        BlobClientGetPropertiesResultHeaders,
    },
};
use bytes::Bytes;

use super::{StateError, blob::BlobStore, refusal::Refusal};

/// The longest piece that is appended at once: what an append blob takes in every version of the API (Append Block).
const MAX_PIECE: usize = 4 * 1024 * 1024;

/// As [`super::Store::append`].
pub(super) async fn append(store: &BlobStore, key: &str, at: u64, block: &Bytes) -> Result<(), StateError> {
    let log = store.blob(key).append_blob_client();
    let mut done = 0;
    // The first block finds no log, as a rule: to try without would be in vain.
    if at == 0 {
        make(store, key, &log).await?;
    }
    loop {
        let piece = block.slice(done..block.len().min(done + MAX_PIECE));
        let Err(error) = append_piece(store, key, &log, at + done as u64, &piece).await else {
            done += piece.len();
            if done == block.len() {
                return Ok(());
            }
            continue;
        };
        match Refusal::of(&error) {
            Refusal::NoBlob | Refusal::NoContainer if at > 0 || done > 0 => return Err(conflict(key)),
            // The position is taken: by another writer, or by an earlier try whose answer was lost.
            Refusal::Condition => match landed(store, key, at, block).await? {
                Some(bytes) if bytes > done => {
                    done = bytes;
                    if done == block.len() {
                        return Ok(());
                    }
                }
                _ => return Err(conflict(key)),
            },
            _ => return Err(store.error(key, error)),
        }
    }
}

fn conflict(key: &str) -> StateError {
    StateError::Conflict { key: key.to_owned() }
}

/// Appends `piece` where the log is `at` bytes long. The service takes no empty piece: its length is compared then.
async fn append_piece(
    store: &BlobStore,
    key: &str,
    log: &AppendBlobClient,
    at: u64,
    piece: &Bytes,
) -> azure_core::Result<()> {
    if piece.is_empty() {
        let length = store.blob(key).get_properties(None).await?.content_length()?;
        return if length == Some(at) { Ok(()) } else { Err(position_taken()) };
    }
    let position = i64::try_from(at).map_err(|_| position_taken())?; // no blob is that long
    let options = AppendBlobClientAppendBlockOptions { append_position: Some(position), ..Default::default() };
    log.append_block(piece.clone().into(), piece.len() as u64, Some(options)).await.map(drop)
}

/// What the service answers where a log has another length.
fn position_taken() -> azure_core::Error {
    let kind = azure_core::error::ErrorKind::HttpResponse {
        status: azure_core::http::StatusCode::PreconditionFailed,
        error_code: Some("AppendPositionConditionNotMet".to_owned()),
        raw_response: None,
    };
    azure_core::Error::with_message(kind, "the log has another length")
}

/// Makes an empty log; that another made it first is as good.
async fn make(store: &BlobStore, key: &str, log: &AppendBlobClient) -> Result<(), StateError> {
    let create = || log.create(Some(AppendBlobClientCreateOptions::default().if_not_exists()));
    match store.making_container(create).await {
        Ok(_) => Ok(()),
        Err(error) if Refusal::of(&error) == Refusal::Condition => Ok(()),
        Err(error) => Err(store.error(key, error)),
    }
}

/// How many bytes of `block` stand at `at` already, or `None` where something else stands there.
async fn landed(store: &BlobStore, key: &str, at: u64, block: &Bytes) -> Result<Option<usize>, StateError> {
    let blob = store.blob(key);
    let properties = blob.get_properties(None).await.map_err(|error| store.error(key, error))?;
    let stored = properties.content_length().map_err(|error| store.error(key, error))?.unwrap_or_default();
    let Some(bytes) = landed_by_length(at, block.len(), stored) else { return Ok(None) };
    let options = BlobClientDownloadOptions { range: Some((at..stored).into()), ..Default::default() };
    let tail = blob.download(Some(options)).await.map_err(|error| store.error(key, error))?;
    let tail = tail.body.collect().await.map_err(|error| store.error(key, error))?;
    Ok((tail == block.slice(..bytes)).then_some(bytes))
}

/// How many bytes of a block of `length` an earlier try can have appended at `at` to a log that is `stored` bytes long
/// now: all of them, or some whole pieces.
fn landed_by_length(at: u64, length: usize, stored: u64) -> Option<usize> {
    let bytes = usize::try_from(stored.checked_sub(at)?).ok()?;
    let whole_pieces = bytes < length && bytes.is_multiple_of(MAX_PIECE);
    (bytes > 0 && (bytes == length || whole_pieces)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_landed_whole_or_by_pieces() {
        let two_pieces = MAX_PIECE + 10;
        for (at, length, stored, landed) in [
            (0, 6, 6, Some(6)),
            (100, 6, 106, Some(6)),
            (100, 6, 100, None),
            (100, 6, 99, None),
            (100, 6, 103, None),
            (100, 6, 107, None),
            (100, two_pieces, 100 + MAX_PIECE as u64, Some(MAX_PIECE)),
            (100, two_pieces, 100 + two_pieces as u64, Some(two_pieces)),
            (100, two_pieces, 101 + MAX_PIECE as u64, None),
            (0, 0, 0, None),
        ] {
            assert_eq!(landed_by_length(at, length, stored), landed, "{at} {length} {stored}");
        }
    }
}
