//! A status for people.

use std::fmt;

use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

use super::{LastRun, Status, SubscriptionState, TypeStatus};

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tenant        {}", self.tenant_id)?;
        writeln!(f, "lag           {}", self.lag_seconds.map_or_else(|| "not known".to_owned(), span))?;
        writeln!(f, "last accepted {}", self.last_accepted.map_or_else(|| "never".to_owned(), |at| self.ago(at)))?;
        writeln!(f, "dead letters  {}", self.dead_letters)?;
        writeln!(f, "under way     {}", if self.run_under_way { "a run holds the lock" } else { "no run" })?;
        if let Some(run) = &self.last_run {
            writeln!(f, "last run      {}", self.run(run))?;
        }
        for (content_type, kind) in &self.content_types {
            writeln!(f, "\n{content_type}")?;
            self.kind(f, kind)?;
        }
        for problem in &self.problems {
            writeln!(f, "\nnote: {problem}")?;
        }
        Ok(())
    }
}

impl Status {
    fn kind(&self, f: &mut fmt::Formatter<'_>, kind: &TypeStatus) -> fmt::Result {
        let subscription = match kind.subscription {
            Some(SubscriptionState::Enabled) => "enabled",
            Some(SubscriptionState::Disabled) => "disabled: `labelstream connect` starts it again",
            Some(SubscriptionState::Missing) => "none: `labelstream connect` starts it",
            None => "not asked",
        };
        writeln!(f, "  subscription    {subscription}")?;
        let Some(through) = kind.listed_through else {
            return writeln!(f, "  listed through  never listed");
        };
        let lag = kind.lag_seconds.map_or_else(String::new, |lag| format!(", lag {}", span(lag)));
        writeln!(f, "  listed through  {}{lag}", stamp(through))?;
        let last = kind.last_content.map_or_else(|| "none seen".to_owned(), |at| self.ago(at));
        writeln!(f, "  last content    {last}")?;
        let oldest = kind.oldest_pending.map_or_else(String::new, |at| format!(", the oldest of {}", self.ago(at)));
        let unfinished = match kind.unfinished {
            Some(number) if number > 0 => format!(", {number} listed and not finished"),
            _ => String::new(),
        };
        writeln!(f, "  left to do      {} to be tried again{oldest}{unfinished}", kind.pending)
    }

    fn run(&self, run: &LastRun) -> String {
        let mut text = run.outcome.clone().unwrap_or_else(|| "ended".to_owned());
        if let Some(at) = run.ended_at {
            text.push_str(&format!(" {}", self.ago(at)));
        }
        let numbers = [("contentsRead", "contents"), ("records", "records"), ("rows", "rows sent")];
        for (name, word) in numbers {
            if let Some(number) = run.number(name) {
                text.push_str(&format!(", {number} {word}"));
            }
        }
        if let Some(error) = &run.error {
            text.push_str(&format!("; {error}"));
        }
        text
    }

    fn ago(&self, at: OffsetDateTime) -> String {
        let seconds = (self.at - at).whole_seconds();
        let distance = if seconds < 0 { format!("in {}", span(-seconds)) } else { format!("{} ago", span(seconds)) };
        format!("{} ({distance})", stamp(at))
    }
}

fn stamp(at: OffsetDateTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    // Only years beyond 9999 cannot be written so.
    at.to_offset(UtcOffset::UTC).format(FORM).unwrap_or_else(|_| at.to_string())
}

/// A span in its two greatest units.
pub(super) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
