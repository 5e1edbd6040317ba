//! Progress on stderr: one line rewritten on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, Stderr, Write},
    time::{Duration, Instant},
};

use crate::{
    message::Progress,
    text::{bar, count},
};

/// How often a line is written where nothing can be rewritten.
const PLAIN_EVERY: Duration = Duration::from_secs(2);
/// Characters of the bar.
const BAR: usize = 24;

/// Shows how far a run is.
#[derive(Debug)]
pub struct Shown {
    terminal: Stderr,
    rewrites: bool,
    last: Option<Instant>,
    /// Records that are to be read; none once they have been.
    records: Option<u64>,
}

impl Shown {
    /// Progress towards `records`.
    pub fn new(records: u64) -> Self {
        let terminal = std::io::stderr();
        let rewrites = terminal.is_terminal();
        Self { terminal, rewrites, last: None, records: Some(records) }
    }

    /// A line that stays.
    pub fn say(&mut self, line: &str) {
        self.clear();
        // Where stderr is closed there is nobody to tell.
        writeln!(self.terminal, "{line}").ok();
    }

    /// How far the run is now.
    pub fn at(&mut self, progress: Progress) {
        let Some(records) = self.records else { return };
        let line = line(progress, records);
        if self.rewrites {
            self.status(&line);
        } else if self.last.get_or_insert_with(Instant::now).elapsed() >= PLAIN_EVERY {
            self.last = Some(Instant::now());
            writeln!(self.terminal, "{line}").ok();
        }
    }

    /// From now on there is nothing to catch up with.
    pub fn caught_up(&mut self) {
        self.records = None;
    }

    /// A line that stays until the next one, on a terminal.
    pub fn status(&mut self, line: &str) {
        if self.rewrites {
            write!(self.terminal, "\r{line}\x1b[K").ok();
            self.terminal.flush().ok();
        }
    }

    /// Takes the rewritten line away.
    pub fn clear(&mut self) {
        if self.rewrites {
            write!(self.terminal, "\r\x1b[K").ok();
        }
    }
}

fn line(progress: Progress, records: u64) -> String {
    let drawn = bar(progress.records, records, BAR);
    let rest = " ".repeat(BAR - drawn.chars().count());
    format!(
        " ▕{drawn}{rest}▏ {} records read, {} rows sent in {} batches",
        count(progress.records),
        count(progress.rows),
        count(progress.posts)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_keeps_its_place() {
        let at = |records| line(Progress { records, rows: 7, posts: 1, contents: 3 }, 1_000);
        assert_eq!(at(500), " ▕████████████            ▏ 500 records read, 7 rows sent in 1 batches");
        assert_eq!(at(0).find('▏'), at(0).find('▏'));
        assert!(at(2_000).starts_with(&format!(" ▕{}▏", "█".repeat(BAR))), "{}", at(2_000));
    }
}
