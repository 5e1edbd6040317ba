//! An event as two lines of text.

use crate::{
    event::{Event, Label},
    text::{Paint, Tone, WIDTH, cut, fit},
};

/// Characters of a user's name.
const WHO: usize = 20;
/// A justification with less room than this is left out.
const SHORTEST_WHY: usize = 12;

/// An event in two lines: when, who, what and why; from which label to which.
pub fn told(event: &Event, paint: Paint) -> [String; 2] {
    // `2026-11-20T16:59:49Z`
    let time = event.time.get(5..16).unwrap_or(&event.time).replacen('T', " ", 1);
    let begin = format!("  {}  {} ", fit(&time, 11), fit(&event.who, WHO));
    let indent = " ".repeat(begin.chars().count() - WHO - 1);
    let what = if event.what.is_empty() { &event.operation } else { &event.what };
    let what = cut(what, WIDTH - begin.chars().count());
    let left = WIDTH - begin.chars().count() - what.chars().count();
    let why = match &event.why {
        why if why.is_empty() || left < SHORTEST_WHY => String::new(),
        why => format!("  “{}”", cut(why, left - 4)),
    };
    let name =
        |label: &Option<Label>| label.as_ref().map_or_else(|| "no label".to_owned(), |label| cut(&label.name, 38));
    let change = match (&event.from, &event.to) {
        (None, to) => name(to),
        (from, to) => format!("{} → {}", name(from), name(to)),
    };
    let tone = if event.lowers() { Tone::Bad } else { Tone::Good };
    [format!("{begin}{what}{}", paint.tone(Tone::Quiet, why)), format!("{indent}{}", paint.tone(tone, change))]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_event_fits_whatever_it_says(who in "\\PC{0,60}", what in "\\PC{0,200}", why in "\\PC{0,300}", label in "\\PC{1,90}") {
            let label = Some(Label::new(label, None));
            let event = Event {
                id: String::new(), time: "2026-11-20T16:59:49Z".to_owned(), kind: String::new(), operation: String::new(),
                who, what, from: label.clone(), to: label, change: "Downgraded".to_owned(), why, named: None,
            };
            let lines = told(&event, Paint::new(false, None, None));
            prop_assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{:?}", lines);
            prop_assert!(lines[0].starts_with("  11-20 16:59  "));
        }
    }
}
