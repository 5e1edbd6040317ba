//! A health for people at a shell.

use std::fmt;

use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

use super::{counted::counted, run_record::RunRecord, span::span, verdict::Health};
use crate::{
    labels::Standing,
    status::{Status, TypeStatus},
};

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = &self.status;
        writeln!(f, "{}", if self.healthy { "healthy" } else { "needs attention" })?;
        for problem in &self.problems {
            writeln!(f, "  problem: {problem}")?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        let not_known = || "not known".to_owned();
        writeln!(f, "\ntenant         {}", status.tenant_id.as_deref().unwrap_or("not known"))?;
        writeln!(f, "lag            {}", status.lag_seconds.map_or_else(not_known, seconds))?;
        writeln!(f, "last accepted  {}", status.ago_or(status.last_accepted, "never"))?;
        writeln!(f, "dead letters   {}", status.dead_letters.map_or_else(not_known, |letters| letters.to_string()))?;
        let under_way = match status.run_under_way {
            Some(true) => "a run holds the lock",
            Some(false) => "no run",
            None => "not known",
        };
        writeln!(f, "under way      {under_way}")?;
        writeln!(f, "last run       {}", status.runs.last().map_or_else(|| "none".to_owned(), |run| status.run(run)))?;
        if let Some(Standing { labels, age_seconds, .. }) =
            status.runs.last().and_then(|run| run.figures.catalogue.as_ref())
        {
            let age = age_seconds.map_or_else(String::new, |age| format!(", listed {} before its end", seconds(age)));
            writeln!(f, "label names    {} known to it{age}", counted(*labels as u64, "label"))?;
        }
        writeln!(f, "subscriptions  listed {}", status.ago_or(status.subscriptions_checked, "never"))?;
        for (content_type, kind) in &status.content_types {
            writeln!(f, "\n{content_type}")?;
            status.content_type(f, kind)?;
        }
        Ok(())
    }
}

impl Status {
    fn content_type(&self, f: &mut fmt::Formatter<'_>, kind: &TypeStatus) -> fmt::Result {
        writeln!(f, "  subscription    {}", kind.subscription.as_str())?;
        let Some(through) = kind.listed_through else {
            return writeln!(f, "  listed through  never listed");
        };
        let lag = kind.lag_seconds.map_or_else(String::new, |lag| format!(", lag {}", seconds(lag)));
        writeln!(f, "  listed through  {}{lag}", stamp(through))?;
        writeln!(f, "  last content    {}", self.ago_or(kind.last_content, "none seen"))?;
        let oldest = kind.oldest_pending.map_or_else(String::new, |at| format!(", the oldest of {}", self.ago(at)));
        writeln!(f, "  pending         {}{oldest}", kind.pending)?;
        let left = kind.unfinished.map_or_else(|| "not known".to_owned(), |number| number.to_string());
        writeln!(f, "  left to do      {left}")
    }

    fn run(&self, run: &RunRecord) -> String {
        let (outcome, figures) = (run.outcome.as_str(), &run.figures);
        format!(
            "{outcome} {}: {}, {}, {}",
            self.ago(run.ended_at),
            counted(figures.contents_read, "content"),
            counted(figures.label_events, "label event"),
            counted(figures.rows, "row")
        )
    }

    fn ago_or(&self, at: Option<OffsetDateTime>, never: &str) -> String {
        at.map_or_else(|| never.to_owned(), |at| self.ago(at))
    }

    fn ago(&self, at: OffsetDateTime) -> String {
        let distance = self.checked_at - at;
        let distance =
            if distance.is_negative() { format!("in {}", span(-distance)) } else { format!("{} ago", span(distance)) };
        format!("{} ({distance})", stamp(at))
    }
}

/// What of a content type is published and not delivered yet, by what `status` says of it.
#[must_use]
pub fn undelivered(status: &Status, kind: &TypeStatus) -> String {
    let Some(through) = kind.listed_through else {
        return "all of the last 7 days: it was never listed".to_owned();
    };
    let mut text = format!("what was published since {}", status.ago(through));
    if let Some(oldest) = kind.oldest_pending {
        let contents = counted(kind.pending as u64, "content");
        text.push_str(&format!("; {contents} to be tried again, the oldest of {}", status.ago(oldest)));
    }
    if let Some(unfinished) = kind.unfinished.filter(|&number| number > 0) {
        text.push_str(&format!("; {} listed and not finished", counted(unfinished as u64, "content")));
    }
    text
}

pub(super) fn seconds(seconds: i64) -> String {
    span(time::Duration::seconds(seconds))
}

fn stamp(at: OffsetDateTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    // Only years beyond 9999 cannot be written so.
    at.to_offset(UtcOffset::UTC).format(FORM).unwrap_or_else(|_| at.to_string())
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::{
        content::ContentType,
        dead_letter::Number,
        health::{
            Ring,
            run_record::tests::{figures, record},
        },
        watermark::{Document, Watermark},
    };

    const NOW: OffsetDateTime = datetime!(2026-11-22 19:04 UTC);

    fn told(ring: Ring, letters: Number) -> String {
        let listed = NOW - Duration::minutes(95);
        let watermark = Watermark { last_content: Some(listed), ..Watermark::starting_at(listed) };
        let document = Document {
            last_accepted: Some(NOW - Duration::minutes(4)),
            content_types: [(ContentType::General, watermark)].into(),
            ..Document::default()
        };
        let wanted = [ContentType::General, ContentType::Exchange];
        Health::of(Status::of("t", &wanted, &document, letters, ring, NOW)).to_string()
    }

    #[test]
    fn the_verdict_stands_above_the_figures() {
        let mut ring = Ring::default();
        ring.push(record(figures(), None));
        let text = told(ring, Number { number: 2, or_more: false });
        for line in [
            "healthy\n  note: Audit.Exchange has not been listed yet.\n  note: There are dead letters (2)",
            "\nlag            1 h 35 min\n",
            "\nlast accepted  2026-11-22T19:00:00Z (4 min ago)\n",
            "\nlast run       Done 2026-11-22T19:00:05Z (3 min ago): 0 contents, 0 label events, 7 rows\n",
            "\nlabel names    12 labels known to it, listed 1 min before its end\n",
            "\nAudit.Exchange\n  subscription    unknown\n  listed through  never listed\n",
            "\n  listed through  2026-11-22T17:29:00Z, lag 1 h 35 min\n",
            "\n  left to do      0",
        ] {
            assert!(text.contains(line), "{line}\n---\n{text}");
        }
    }

    #[test]
    fn why_the_last_run_failed_is_told() {
        let mut ring = Ring::default();
        ring.push(record(figures(), Some("state: away")));
        let text = told(ring, Number::default());
        assert!(
            text.starts_with("needs attention\n  problem: The only run failed; the last one says: state: away\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_known_is_not_told_as_nothing() {
        let text = Health::unknown(Status::unknown(None, NOW), vec!["no settings".to_owned()]).to_string();
        for line in ["tenant         not known", "dead letters   not known", "under way      not known"] {
            assert!(text.contains(line), "{text}");
        }
    }
}
