//! Lines, and the rows in them.

use std::io::{self, BufRead, Read as _};

use super::{figures::Figures, row::Row};

/// No row is longer: they are cut to 900,000 bytes. What goes on beyond it is skipped, and not held.
pub const LINE_LIMIT: u64 = 4 << 20;
/// How many of the lines that are no row are named.
const NAMED: usize = 5;

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The figures of the rows.
    pub figures: Figures,
    /// Lines that are not empty.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// Rows of other tenants than those that were asked for.
    pub of_others: u64,
    /// Lines that are no row.
    pub no_rows: u64,
    /// The first of them: the number of the line, from 1, and why.
    pub named: Vec<(u64, String)>,
}

impl Reading {
    /// Takes the line of this number, without its end.
    fn take(&mut self, number: u64, line: &[u8], tenants: &[String]) {
        let line = if number == 1 { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line) } else { line };
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        self.lines += 1;
        match Row::read(line) {
            Ok(row) if is_of(&row, tenants) => self.figures.add(&row),
            Ok(_) => self.of_others += 1,
            Err(error) => self.refuse(number, error.to_string()),
        }
    }

    fn refuse(&mut self, number: u64, why: String) {
        self.no_rows += 1;
        if self.named.len() < NAMED {
            self.named.push((number, why));
        }
    }
}

/// Whether a row is of one of `tenants`, by its `OrganizationId`; with none of them, each is meant.
fn is_of(row: &Row<'_>, tenants: &[String]) -> bool {
    tenants.is_empty() || tenants.iter().any(|tenant| row.organization().eq_ignore_ascii_case(tenant))
}

/// Reads rows, one a line, to the end of `input`; `seen` is called after each line. A line that is no row is counted, and
/// so is a row of another tenant than `tenants` (ids; with none of them all rows are read).
///
/// # Errors
/// `input` cannot be read.
pub fn read(mut input: impl BufRead, tenants: &[String], mut seen: impl FnMut(&Reading)) -> io::Result<Reading> {
    let mut reading = Reading::default();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = input.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line)? as u64;
        reading.bytes += length;
        if length == 0 {
            break;
        }
        if length == LINE_LIMIT && !line.ends_with(b"\n") {
            reading.lines += 1;
            reading.bytes += skip_line(&mut input)?;
            reading.refuse(number, format!("it is longer than {LINE_LIMIT} bytes"));
        } else {
            reading.take(number, &line, tenants);
        }
        seen(&reading);
    }
    Ok(reading)
}

/// Goes to the end of the line; how many bytes that took.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let held = match input.fill_buf() {
            Ok(held) => held,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = held.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(held.len(), |at| at + 1);
        input.consume(length);
        skipped += length as u64;
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;
    use crate::report::page;

    const ROW: &str = r#"{"TimeGenerated":"2026-11-20T09:00:00Z","AuditRecordId":"ID"}"#;

    fn row(id: &str) -> String {
        ROW.replace("ID", id)
    }

    #[test]
    fn rows_of_other_tenants_are_counted_apart() {
        let of = |id: &str, tenant: &str| row(id).replace('{', &format!("{{\"OrganizationId\":\"{tenant}\","));
        let text = [of("a", "T1"), of("b", "t2"), row("c"), of("d", "t3")].join("\n");
        let wanted = ["t1".to_owned(), "t2".to_owned()];
        let reading = read(text.as_bytes(), &wanted, |_| ()).unwrap();
        assert_eq!((reading.figures.rows, reading.of_others, reading.lines), (2, 2, 4));
    }

    #[test]
    fn lines_that_are_no_row_are_named_and_the_rest_is_read() {
        let (one, two) = (row("1"), row("2"));
        let text = format!("\u{feff}{one}\r\n\nno json\n[]\n{{\"Operation\":5}}\n{{}}\n{two}");
        let reading = read(text.as_bytes(), &[], |_| ()).unwrap();
        assert_eq!((reading.figures.rows, reading.lines, reading.no_rows), (2, 6, 4));
        assert_eq!(reading.bytes, text.len() as u64);
        let named: Vec<_> = reading.named.iter().map(|(number, _)| *number).collect();
        assert_eq!(named, [3, 4, 5, 6]);
        assert!(reading.named[2].1.contains("a text"), "{:?}", reading.named);
        assert!(reading.named[3].1.contains("TimeGenerated"), "{:?}", reading.named);
    }

    proptest! {
        #[test]
        fn any_bytes_are_counted_as_what_they_are(pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "{", "}", "\n", ":", ",", "null", "\"", "\\u0000", ROW, "\"Common\":", "\"ObjectId\":", "5", "[1]",
                "{\"TimeGenerated\":\"9999-12-31T23:59:59-01:00\"}", "{\"CreationTime\":\"0000-01-01T00:00:00Z\"}",
            ]).prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..6),
        ], 0..40)) {
            let bytes = pieces.concat();
            let reading = read(bytes.as_slice(), &[], |_| ()).unwrap();
            let figures = &reading.figures;
            prop_assert_eq!(figures.rows + figures.repeats + reading.no_rows, reading.lines);
            prop_assert_eq!(reading.bytes, bytes.len() as u64);
            page(&reading, "", datetime!(2026-11-23 09:00 UTC)).unwrap();
        }
    }

    #[test]
    fn a_line_without_an_end_in_sight_is_skipped_and_not_held() {
        struct Endless {
            left: u64,
            widest: usize,
        }
        impl io::Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = buffer.len().min(usize::try_from(self.left).unwrap());
                self.widest = self.widest.max(length);
                buffer[..length].fill(b'x');
                self.left -= length as u64;
                Ok(length)
            }
        }
        let after = format!("\n{}\n", row("1"));
        let endless = Endless { left: 3 * LINE_LIMIT, widest: 0 };
        let reading = read(io::BufReader::new(endless.chain(after.as_bytes())), &[], |_| ()).unwrap();
        assert_eq!((reading.figures.rows, reading.no_rows), (1, 1));
        assert!(reading.named[0].1.contains("longer than"), "{:?}", reading.named);
        assert_eq!(reading.bytes, 3 * LINE_LIMIT + after.len() as u64);
    }

    #[test]
    fn a_row_that_is_there_twice_counts_once() {
        let text = [row("1"), row("2"), row("1"), ROW.replace("ID", ""), ROW.replace("ID", "")].join("\n");
        let reading = read(text.as_bytes(), &[], |_| ()).unwrap();
        assert_eq!((reading.figures.rows, reading.figures.repeats), (4, 1));
    }
}
