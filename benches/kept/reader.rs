//! Reading contents as a run does, without the feed.

use labelstream::{
    content::Content,
    labels::Catalogue,
    record::{Element, Filter, LabelEvents, Peek, Splitter},
    row::{self, Provenance},
};

use crate::data::{content, labels};

/// Of so many bytes are the pieces in which a body comes in.
const PIECE: usize = 64 * 1024;

/// A body of `records` one after the other.
pub fn body(records: &[Vec<u8>]) -> Vec<u8> {
    [b"[".as_slice(), &records.join(&b','), b"]"].concat()
}

/// Reads a body as a run does: its label events are gathered, and a row is made of each.
pub struct Reader {
    filter: Filter,
    labels: Catalogue,
    content: Content,
    events: LabelEvents,
    rows: Vec<u8>,
}

impl Reader {
    /// Of the tenant's labels.
    pub fn new() -> Self {
        let (labels, content) = (labels(), content());
        Self { filter: Filter::default(), labels, content, events: LabelEvents::default(), rows: Vec::new() }
    }

    /// Reads a body. Returns how many rows it gave.
    pub fn read(&mut self, body: &[u8]) -> usize {
        let provenance = Provenance::from(&self.content);
        let mut splitter = Splitter::new();
        let (mut ordinal, mut rows) = (0, 0);
        self.rows.clear();
        for piece in body.chunks(PIECE) {
            let pushed = splitter.push(piece, |element| {
                let Element::Record { bytes, outline } = element else { return };
                let peek = Peek::at(bytes, outline);
                if self.filter.keeps(peek.record_type, peek.operation.as_deref()) {
                    self.events.push(bytes, outline, ordinal);
                }
                ordinal += 1;
            });
            assert_eq!(pushed, Ok(()));
            for (record, _) in self.events.records() {
                row::write(&record, &provenance, &self.labels, &mut self.rows);
                rows += 1;
            }
            self.events.clear();
        }
        assert_eq!(splitter.finish(), Ok(()));
        rows
    }
}
