//! Figures, bars and colours as text.

use std::{ffi::OsStr, fmt::Display};

/// Widest line in characters.
pub const WIDTH: usize = 98;

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Heading,
    Good,
    Bad,
    Quiet,
    Bar,
    Strong,
}

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Colours on a terminal that shows them, unless `NO_COLOR` is set to something (see no-color.org).
    pub fn new(is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> Self {
        let unwanted = no_color.is_some_and(|value| !value.is_empty()) || term.is_some_and(|term| term == "dumb");
        Self { on: is_terminal && !unwanted }
    }

    /// `text` in its colour.
    pub fn tone(self, tone: Tone, text: impl Display) -> String {
        if !self.on {
            return text.to_string();
        }
        let code = match tone {
            Tone::Heading => "1;36",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Quiet => "2",
            Tone::Bar => "36",
            Tone::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// A number with its thousands apart: `61,220`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2 rows`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Bytes in a unit that suits them: `4.9 MB`.
pub fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..999_950 => format!("{:.1} kB", number as f64 / 1e3),
        _ => format!("{:.1} MB", number as f64 / 1e6),
    }
}

/// A share in per cent that says 100 or 0 only where it is.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let tenths = (u128::from(part) * 1_000 / u128::from(whole)) as u64;
    let tenths = if part > 0 { tenths.max(1) } else { tenths };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A bar of `value` beside one of `most` that is `width` characters long, in eighths of a character.
pub fn bar(value: u64, most: u64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let whole = width as u128 * 8;
    let length = (u128::from(value.min(most)) * whole).checked_div(u128::from(most)).unwrap_or(0) as usize;
    let length = if value > 0 { length.max(1) } else { length };
    format!("{}{}", "█".repeat(length / 8), EIGHTHS[length % 8])
}

/// `text` in exactly `width` characters: padded, or cut with a sign that it was. What would steer a terminal is shown
/// as a question mark.
pub fn fit(text: &str, width: usize) -> String {
    let mut fitted = cut(text, width);
    let missing = width - fitted.chars().count();
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// `text` in at most `width` characters.
pub fn cut(text: &str, width: usize) -> String {
    let safe = |character: char| if character.is_control() { '?' } else { character };
    if text.chars().count() <= width {
        return text.chars().map(safe).collect();
    }
    text.chars().take(width.saturating_sub(1)).map(safe).chain((width > 0).then_some('…')).collect()
}

/// `parts` joined by `, ` in lines of at most `width` characters. A part that is longer has a line of its own.
pub fn wrapped(parts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let part = if at + 1 < parts.len() { format!("{part},") } else { part.clone() };
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + part.chars().count() <= width => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_for_people() {
        assert_eq!([0, 7, 999, 1_000, 61_220, 1_000_000].map(count), ["0", "7", "999", "1,000", "61,220", "1,000,000"]);
        assert_eq!([0, 999, 1_000, 999_949, 999_950].map(bytes), ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB"]);
        assert_eq!(
            [(0, 0), (0, 9), (1, 9_999), (9_999, 10_000), (5, 5)].map(|(part, whole)| share(part, whole)),
            ["0 %", "0.0 %", "0.1 %", "99.9 %", "100.0 %"]
        );
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let paint = |terminal, no_color: Option<&str>, term: Option<&str>| {
            Paint::new(terminal, no_color.map(OsStr::new), term.map(OsStr::new)).tone(Tone::Bad, "x")
        };
        assert_eq!(paint(true, None, Some("xterm")), "\x1b[31mx\x1b[0m");
        assert_eq!(paint(true, Some(""), None), "\x1b[31mx\x1b[0m");
        for plain in [paint(false, None, None), paint(true, Some("1"), None), paint(true, None, Some("dumb"))] {
            assert_eq!(plain, "x");
        }
    }

    proptest! {
        #[test]
        fn text_fits(text in "\\PC{0,40}", width in 0_usize..50) {
            prop_assert_eq!(fit(&text, width).chars().count(), width);
            prop_assert!(cut(&text, width).chars().count() <= width);
            if text.chars().count() <= width {
                prop_assert_eq!(cut(&text, width), text);
            }
        }

        #[test]
        fn bars_keep_their_order_and_their_width(a in 0_u64..1_000, b in 0_u64..1_000, width in 1_usize..30) {
            // From a full block on, the code points go down by an eighth each.
            let eighths = |value| {
                let bar = bar(value, 1_000, width);
                let last = bar.chars().last().map_or(0, |last| 0x2590 - u32::from(last));
                bar.chars().count().saturating_sub(1) * 8 + last as usize
            };
            if a < b {
                prop_assert!(eighths(a) <= eighths(b));
            }
            prop_assert_eq!(bar(a, 1_000, width).is_empty(), a == 0);
            prop_assert_eq!(bar(1_000, 1_000, width).chars().count(), width);
        }

        #[test]
        fn wrapping_loses_nothing(parts in prop::collection::vec("[a-z]{1,12}", 0..12), width in 14_usize..40) {
            let lines = wrapped(&parts, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            prop_assert_eq!(lines.join(" "), parts.join(", "));
        }
    }

    #[test]
    fn what_steers_a_terminal_is_not_shown() {
        assert_eq!(fit("a\x1b[31mb\n", 9), "a?[31mb? ");
    }
}
