//! Label names: the static map in each of its forms, one of which is an answer of Microsoft Graph.
//!
//! Input: the map. Judged are:
//! - a map that cannot be used is told in one short line;
//! - each label has an id of its own and a name, is found by its id however that is written, and is in the tree once;
//! - what is read is stored and read again as the same, and keeps its names when nothing of it is listed any more;
//! - the same map is read as the same.

use std::{collections::HashSet, sync::Arc};

use labelstream::labels::{Catalogue, MapError, Stored, map};
use time::OffsetDateTime;

use super::{Reached, shown::one_line};

/// What the corpus is to reach.
pub const REACHES: &[&str] =
    &["labels", "a sublabel", "a priority", "skipped entries", "no encoding", "no JSON", "no header", "no label"];

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let mut reached = Reached::new();
    let read = map::parse(data);
    assert_eq!(read, map::parse(data));
    let listed = match read {
        Ok(listed) => listed,
        Err(error) => {
            one_line(&error.to_string(), 400);
            reached.extend(match error {
                MapError::Encoding => Some("no encoding"),
                MapError::Json(_) => Some("no JSON"),
                MapError::Header(_) => Some("no header"),
                MapError::NoLabel(_) => Some("no label"),
                MapError::Csv(_) | MapError::TooLarge | MapError::File(_) => None,
            });
            return reached;
        }
    };
    reached.push("labels");
    if listed.skipped > 0 {
        reached.push("skipped entries");
    }
    let mut ids = HashSet::new();
    for label in &listed.labels {
        assert!(!label.id.is_empty() && !label.name.trim().is_empty() && label.gone.is_none(), "{label:?}");
        assert!(ids.insert(label.id.to_ascii_lowercase()), "{label:?} comes twice");
        assert!(label.full_name().ends_with(&label.name), "{label:?}");
        if label.parent.is_some() {
            reached.push("a sublabel");
        }
        if label.priority.is_some() {
            reached.push("a priority");
        }
    }
    let catalogue: Catalogue = listed.labels.iter().cloned().collect();
    for label in &listed.labels {
        for id in [label.id.to_ascii_uppercase(), format!("{{{}}}", label.id), format!(" {} ", label.id)] {
            assert_eq!(catalogue.get(&id), Some(label), "{id:?}");
        }
    }
    let tree: HashSet<_> = catalogue.tree().into_iter().map(|(_, label)| &label.id).collect();
    assert_eq!((tree.len(), catalogue.len()), (ids.len(), ids.len()));
    kept(catalogue);
    reached
}

/// What is known is stored, and stays known.
fn kept(catalogue: Catalogue) {
    let now = OffsetDateTime::UNIX_EPOCH;
    let stored = Stored { fetched_at: Some(now), catalogue: Arc::new(catalogue.clone()), ..Stored::default() };
    let json = stored.to_json().expect("what is read can be stored");
    assert_eq!(Stored::parse(&json).expect("what is stored can be read"), stored);
    let gone = catalogue.merged([], now);
    for label in catalogue.labels() {
        let last = gone.get(&label.id).expect("it stays");
        assert_eq!((last.full_name(), last.priority, last.gone), (label.full_name(), label.priority, Some(now)));
    }
}
