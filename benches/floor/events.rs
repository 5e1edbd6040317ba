//! Finding label events in the simulator's records, which all begin alike: with [`BEGIN`], an id, the operation, the
//! organization and the record type. What is looked at stands at fixed places.

use memchr::{memchr, memmem::Finder};

/// What a record begins with, and nothing else in this data does.
const BEGIN: &[u8] = br#"{"CreationTime":""#;
/// From there to the operation.
const TO_OPERATION: usize =
    br#"{"CreationTime":"2026-11-22T10:11:12","Id":"00000000-0000-4000-8000-000000000000","Operation":""#.len();
/// From the operation's end to the record type.
const TO_RECORD_TYPE: usize = br#"","OrganizationId":"00000000-0000-4000-8000-000000000000","RecordType":"#.len();
/// The first bytes of a record, in which all of that is; no record is shorter.
const HEAD: usize = 320;

/// The filter's record types and operations.
const RECORD_TYPES: [&[u8]; 12] = [b"43", b"71", b"72", b"75", b"82", b"83", b"84", b"93", b"94", b"95", b"96", b"97"];
const OPERATIONS: [&[u8]; 10] = [
    b"FileSensitivityLabelApplied",
    b"FileSensitivityLabelChanged",
    b"FileSensitivityLabelRemoved",
    b"SensitivityLabelApplied",
    b"SensitivityLabelUpdated",
    b"SensitivityLabelRemoved",
    b"SiteSensitivityLabelApplied",
    b"SensitivityLabelChanged",
    b"SiteSensitivityLabelRemoved",
    b"DocumentSensitivityMismatchDetected",
];

/// What was found.
pub struct Search {
    begin: Finder<'static>,
    pub records: u64,
    pub label_events: u64,
}

impl Search {
    pub fn new() -> Self {
        Self { begin: Finder::new(BEGIN), records: 0, label_events: 0 }
    }

    /// Looks at the records whose heads are in `piece`, and answers how many bytes of it are done with.
    pub fn look(&mut self, piece: &[u8]) -> Result<usize, &'static str> {
        let mut done = 0;
        while let Some(begin) = self.begin.find(&piece[done..]).map(|at| done + at) {
            let Some(head) = piece.get(begin..begin + HEAD) else { return Ok(begin) };
            self.records += 1;
            self.label_events += u64::from(is_label_event(head).ok_or("a record is not as the simulator writes it")?);
            done = begin + HEAD;
        }
        Ok(done.max(piece.len().saturating_sub(BEGIN.len())))
    }
}

fn is_label_event(head: &[u8]) -> Option<bool> {
    let rest = head.get(TO_OPERATION..)?;
    let operation = rest.get(..memchr(b'"', rest)?)?;
    let rest = rest.get(operation.len() + TO_RECORD_TYPE..)?;
    let record_type = rest.get(..memchr(b',', rest)?)?;
    Some(RECORD_TYPES.contains(&record_type) || OPERATIONS.contains(&operation))
}
