//! The rows that arrived, counted for the picture. It does not grow with them but for their ids.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use crate::event::{Event, Label, Names};

/// How many of the latest downgrades and removals are kept.
pub const LATEST: usize = 10;

/// What was counted. A row that is there twice counts once.
#[derive(Debug, Default)]
pub struct Tally {
    pub events: u64,
    /// By label; events without one apart.
    pub labels: BTreeMap<Label, u64>,
    pub without_label: u64,
    /// Events with a label of the tenant, and those of them in which each such label has its name.
    pub of_tenant: u64,
    pub named: u64,
    /// By record type and, in it, operation.
    pub kinds: BTreeMap<String, BTreeMap<String, u64>>,
    /// By what became of the label.
    pub changes: BTreeMap<String, u64>,
    /// The latest downgrades and removals, the latest first.
    pub lowered: Vec<Event>,
    ids: HashSet<String>,
}

impl Tally {
    /// Counts an event, unless it was counted before; whether it was not.
    pub fn add(&mut self, event: &Event) -> bool {
        if !event.id.is_empty() && !self.ids.insert(event.id.clone()) {
            return false;
        }
        self.events += 1;
        match &event.to {
            Some(label) => *self.labels.entry(label.clone()).or_default() += 1,
            None => self.without_label += 1,
        }
        self.of_tenant += u64::from(event.named.is_some());
        self.named += u64::from(event.named == Some(true));
        let operations = self.kinds.entry(event.kind.clone()).or_default();
        *operations.entry(event.operation.clone()).or_default() += 1;
        if !event.change.is_empty() {
            *self.changes.entry(event.change.clone()).or_default() += 1;
        }
        if event.lowers() {
            let at = self.lowered.partition_point(|known| (&known.time, &known.id) > (&event.time, &event.id));
            self.lowered.insert(at, event.clone());
            self.lowered.truncate(LATEST);
        }
        true
    }

    /// How many downgrades and removals there are.
    pub fn lowered_count(&self) -> u64 {
        ["Downgraded", "Removed"].iter().filter_map(|change| self.changes.get(*change)).sum()
    }
}

/// Reads the file of rows as it grows.
#[derive(Debug)]
pub struct RowsFile {
    lines: BufReader<File>,
    begun: Vec<u8>,
}

impl RowsFile {
    /// The rows in `path`, from the first one on.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { lines: BufReader::new(File::open(path)?), begun: Vec::new() })
    }

    /// Counts the rows that came since the last call, and hands those that are new to `seen`.
    pub fn count(&mut self, names: &Names, tally: &mut Tally, mut seen: impl FnMut(Event)) -> io::Result<()> {
        while self.lines.read_until(b'\n', &mut self.begun)? > 0 && self.begun.ends_with(b"\n") {
            let event = std::str::from_utf8(&self.begun)
                .map_err(io::Error::other)
                .and_then(|row| Ok(Event::read(row, names)?))?;
            self.begun.clear();
            if tally.add(&event) {
                seen(event);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use labelstream_simulator::Tenant;
    use proptest::prelude::*;

    use super::*;

    fn event(id: u32, time: u32, change: &str) -> Event {
        let row = format!(
            r#"{{"AuditRecordId":"{id}","CreationTime":"2026-11-20T00:00:{time:02}Z","LabelChange":"{change}",
                "RecordTypeName":"MIPLabel","Operation":"MipLabel"}}"#
        );
        Event::read(&row, &Names::of(&Tenant::new(1))).unwrap()
    }

    proptest! {
        #[test]
        fn every_id_counts_once_and_the_latest_stay(rows in prop::collection::vec((0_u32..40, 0_u32..60), 0..80)) {
            let mut tally = Tally::default();
            let mut first = BTreeMap::new();
            for (id, time) in rows {
                let is_new = !first.contains_key(&id);
                prop_assert_eq!(tally.add(&event(id, time, "Removed")), is_new);
                first.entry(id).or_insert(time);
            }
            prop_assert_eq!(tally.events, first.len() as u64);
            prop_assert_eq!(tally.lowered_count(), first.len() as u64);
            let mut times: Vec<u32> = first.into_values().collect();
            times.sort_unstable_by(|a, b| b.cmp(a));
            times.truncate(LATEST);
            let kept: Vec<String> = tally.lowered.iter().map(|event| event.time.clone()).collect();
            let expected: Vec<String> = times.iter().map(|time| format!("2026-11-20T00:00:{time:02}Z")).collect();
            prop_assert_eq!(kept, expected);
        }
    }

    #[test]
    fn a_file_is_read_as_it_grows_and_half_a_line_waits() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut rows = RowsFile::open(file.path()).unwrap();
        let names = Names::of(&Tenant::new(1));
        let mut tally = Tally::default();
        let mut seen = Vec::new();
        for (text, ids) in [
            ("{\"AuditRecordId\":\"a\"}\n{\"AuditRec", vec!["a"]),
            ("ordId\":\"b\"}\n", vec!["a", "b"]),
            ("{\"AuditRecordId\":\"a\"}\n", vec!["a", "b"]),
        ] {
            file.write_all(text.as_bytes()).unwrap();
            rows.count(&names, &mut tally, |event| seen.push(event.id)).unwrap();
            assert_eq!(seen, ids);
        }
        assert_eq!(tally.events, 2);
        file.write_all(b"no row\n").unwrap();
        assert!(rows.count(&names, &mut tally, |_| ()).is_err());
    }
}
