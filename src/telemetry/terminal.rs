//! Log lines on a terminal, where a command may be showing its progress in a line that it writes anew.

use std::io::{self, Write};

/// Goes to the beginning of the line at hand and empties it (ECMA-48, "EL").
pub const CLEAR_LINE: &str = "\r\x1b[K";

/// Writes each log line in place of the progress, which comes again below it.
pub(super) struct OverProgress<W>(pub W);

impl<W: Write> Write for OverProgress<W> {
    /// One call for each log line, and one to the terminal, so that nothing comes between the two parts.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(&[CLEAR_LINE.as_bytes(), line].concat())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_the_place_of_the_progress() {
        let mut terminal = OverProgress(Vec::new());
        terminal.write_all(b"one\n").unwrap();
        terminal.write_all(b"two\n").unwrap();
        assert_eq!(terminal.0, b"\r\x1b[Kone\n\r\x1b[Ktwo\n");
    }
}
