//! Spans of time for people.

use time::Duration;

/// A span in its two largest units, for people.
#[must_use]
pub fn span(time: Duration) -> String {
    let seconds = time.whole_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units() {
        let told = |seconds| span(Duration::seconds(seconds));
        assert_eq!([0, 59, 60, 3_599].map(told), ["0 s", "59 s", "1 min", "59 min"]);
        let long = [3_600, 7_260, 86_400, 7 * 86_400 + 3_600].map(told);
        assert_eq!(long, ["1 h 0 min", "2 h 1 min", "1 d 0 h", "7 d 1 h"]);
        assert_eq!(told(-5), "0 s");
    }
}
