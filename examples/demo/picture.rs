//! The final picture: what happened, as text for a terminal.

use labelstream_simulator::{Report, Tenant};

use crate::{
    message::Pulled,
    places::Places,
    proof::Proof,
    tally::Tally,
    text::{Paint, Tone, WIDTH, bar, bytes, count, counted, fit, share, wrapped},
    told::told,
};

/// Record types of noise that have a line of their own.
const NOISE_LINES: usize = 6;
/// Where the figures end in every list.
const FIGURES_END: usize = 49;
/// The part of most operations that says nothing new.
const COMMON: &str = "SensitivityLabel";

/// What the picture shows.
#[derive(Debug)]
pub struct Picture<'a> {
    pub tenant: &'a Tenant,
    pub days: f64,
    pub tally: &'a Tally,
    pub pulled: &'a Pulled,
    pub report: &'a Report,
    pub proof: &'a Proof,
    /// Faults that struck, in words.
    pub faults: Vec<String>,
    pub places: &'a Places,
    pub paint: Paint,
}

impl Picture<'_> {
    /// The whole of it, each line at most [`WIDTH`] characters wide where no path or reason is longer.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.headline();
        for section in [self.labels(), self.kinds(), self.lowered(), self.noise(), self.delivery(), self.proof()] {
            lines.push(String::new());
            lines.extend(section);
        }
        lines.push(String::new());
        lines.extend(self.further());
        lines
    }

    fn headline(&self) -> Vec<String> {
        let days = (self.days * 10.0).round() / 10.0;
        let span = if days == 7.0 { "A week".to_owned() } else { format!("{days} days") };
        let title = format!(" {span} of {}, from the audit feed to the table", self.tenant.domain);
        let (mark, tone, said) = if self.proof.holds() {
            let exactly = match self.report.doubled {
                0 => "each once and nothing else",
                _ => "and nothing else; only lost answers doubled some",
            };
            ("✔", Tone::Good, format!("{} delivered, {exactly}", self.label_events(self.report.arrived)))
        } else {
            ("✘", Tone::Bad, "Not everything arrived as it should; the proof below says what".to_owned())
        };
        let speed = format!(
            "{} records read in {:.1} s, {} a second",
            count(self.pulled.records),
            self.pulled.seconds,
            count((self.pulled.records as f64 / self.pulled.seconds.max(0.001)) as u64)
        );
        vec![
            String::new(),
            self.paint.tone(Tone::Strong, title),
            self.paint.tone(tone, format!(" {mark} {said}")),
            self.paint.tone(Tone::Quiet, format!("   {speed}")),
        ]
    }

    fn label_events(&self, number: u64) -> String {
        counted(number, "label event", "label events")
    }

    /// `── name ─────── remark ──`
    fn heading(&self, name: &str, remark: &str) -> String {
        let remark = if remark.is_empty() { String::new() } else { format!(" {remark} ") };
        let used = name.chars().count() + remark.chars().count() + 8;
        let rule = "─".repeat(WIDTH.saturating_sub(used));
        let left = self.paint.tone(Tone::Quiet, " ──");
        let right = self.paint.tone(Tone::Quiet, format!("{rule}{remark}──"));
        format!("{left} {} {right}", self.paint.tone(Tone::Heading, name))
    }

    /// `  name ....... count  rest`
    fn figure(&self, name: &str, number: u64, rest: &str) -> String {
        let figures = count(number);
        let name = fit(name, (FIGURES_END - 2).saturating_sub(figures.chars().count() + 1));
        format!("  {name} {figures}  {rest}")
    }

    fn bar(&self, number: u64, most: u64, width: usize) -> String {
        self.paint.tone(Tone::Bar, bar(number, most, width))
    }

    fn labels(&self) -> Vec<String> {
        let tally = self.tally;
        let mut lines = vec![self.heading("Events by label", "names from the simulated tenant's Graph, in the rows")];
        let most = tally.labels.values().copied().chain([tally.without_label]).max().unwrap_or(0);
        let width = WIDTH - FIGURES_END - 2;
        lines.extend(
            tally
                .labels
                .iter()
                .map(|(label, number)| self.figure(&label.name, *number, &self.bar(*number, most, width))),
        );
        if tally.without_label > 0 {
            let rest = self.bar(tally.without_label, most, width);
            lines.push(self.figure("no label (removed, or none to begin with)", tally.without_label, &rest));
        }
        lines.push(format!(
            "  Of {} events with a label that the tenant has, {} name it: {}.",
            count(tally.of_tenant),
            count(tally.named),
            share(tally.named, tally.of_tenant)
        ));
        lines
    }

    fn kinds(&self) -> Vec<String> {
        let mut lines = vec![self.heading("Events by kind", "… stands for SensitivityLabel")];
        let mut kinds: Vec<_> = self
            .tally
            .kinds
            .iter()
            .map(|(kind, operations)| (operations.values().sum::<u64>(), kind, operations))
            .collect();
        kinds.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        for (number, kind, operations) in kinds {
            let mut operations: Vec<_> = operations.iter().collect();
            operations.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            let several = operations.len() > 1;
            let told = |(name, times): (&String, &u64)| {
                let name = short_operation(name);
                if several { format!("{name} {}", count(*times)) } else { name }
            };
            let told: Vec<String> = operations.into_iter().map(told).collect();
            for (at, line) in wrapped(&told, WIDTH - FIGURES_END - 2).into_iter().enumerate() {
                let line = self.paint.tone(Tone::Quiet, line);
                lines.push(match at {
                    0 => self.figure(kind, number, &line),
                    _ => format!("{}  {line}", " ".repeat(FIGURES_END)),
                });
            }
        }
        let changes: Vec<String> =
            self.tally.changes.iter().map(|(change, number)| format!("{change} {}", count(*number))).collect();
        if !changes.is_empty() {
            lines.push(format!("  What became of the labels: {}", changes.join(", ")));
        }
        lines
    }

    fn lowered(&self) -> Vec<String> {
        let (shown, all) = (self.tally.lowered.len() as u64, self.tally.lowered_count());
        let remark = if all > shown { format!("the latest {shown} of {}", count(all)) } else { String::new() };
        let mut lines = vec![self.heading("Downgrades and removals", &remark)];
        if all == 0 {
            lines.push("  none".to_owned());
        }
        lines.extend(self.tally.lowered.iter().flat_map(|event| told(event, self.paint)));
        lines
    }

    fn noise(&self) -> Vec<String> {
        let mut kinds: Vec<(&String, u64)> =
            self.pulled.filtered.iter().map(|(kind, number)| (kind, *number)).collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let sum: u64 = kinds.iter().map(|(_, number)| number).sum();
        let part = share(sum, self.pulled.records);
        let remark = format!("{} of {} records, {part}", count(sum), count(self.pulled.records));
        let mut lines = vec![self.heading("Noise filtered out", &remark)];
        let most = kinds.first().map_or(0, |(_, number)| *number);
        let width = WIDTH - FIGURES_END - 2;
        for (kind, number) in kinds.iter().take(NOISE_LINES) {
            // `6 SharePointFileOperation`
            let kind =
                kind.split_once(' ').map_or_else(|| (*kind).clone(), |(number, name)| format!("{name} ({number})"));
            lines.push(self.figure(&kind, *number, &self.bar(*number, most, width)));
        }
        let rest = &kinds[kinds.len().min(NOISE_LINES)..];
        if !rest.is_empty() {
            let name = format!("{} other record types", rest.len());
            let number = rest.iter().map(|(_, number)| number).sum();
            lines.push(self.figure(&name, number, &self.bar(number, most, width)));
        }
        lines.push(format!(
            "  You do not pay for these: of {} read from the feed, {} of rows were sent.",
            bytes(self.pulled.feed_bytes),
            bytes(self.pulled.row_bytes)
        ));
        lines
    }

    fn delivery(&self) -> Vec<String> {
        let (pulled, totals) = (self.pulled, &self.report.totals);
        let mut lines = vec![
            self.heading("Delivery", ""),
            self.fact(
                "Batches",
                &format!(
                    "{}, {} rows at most and {} at most (the service's limit is 1 MB)",
                    counted(pulled.posts, "POST", "POSTs"),
                    count(totals.largest_rows),
                    bytes(totals.largest_json_bytes)
                ),
            ),
            self.fact(
                "Bytes",
                &format!(
                    "{} as JSON, {} on the wire ({})",
                    bytes(pulled.row_bytes),
                    bytes(pulled.sent_bytes),
                    share(pulled.sent_bytes, pulled.row_bytes)
                ),
            ),
            self.fact(
                "Time",
                &format!(
                    "{:.1} s for {} and {} of the feed",
                    pulled.seconds,
                    counted(pulled.contents, "content", "contents"),
                    counted(pulled.feed_requests, "request", "requests")
                ),
            ),
        ];
        if pulled.repeated > 0 {
            let text = format!("{} came again from the feed and were recognised", self.label_events(pulled.repeated));
            lines.push(self.fact("Repeats", &text));
        }
        if pulled.throttled > 0 || pulled.waited >= 0.1 {
            // Requests wait side by side, so that their waits add up to more than the time that went by.
            let text = format!("the service asked to wait; all requests together waited {:.1} s", pulled.waited);
            lines.push(self.fact("Throttling", &text));
        }
        if pulled.dead_letters > 0 {
            lines.push(self.fact("Dead letters", &count(pulled.dead_letters)));
        }
        for (at, line) in wrapped(&self.faults, WIDTH - 16).into_iter().enumerate() {
            lines.push(self.fact(if at == 0 { "Faults" } else { "" }, &line));
        }
        lines
    }

    fn proof(&self) -> Vec<String> {
        let tone = if self.proof.holds() { Tone::Good } else { Tone::Bad };
        let mark = if self.proof.holds() { "✔" } else { "✘" };
        let mut lines = vec![
            self.heading("Proof", "by the simulator's own ledger, which shares no code with the connector"),
            format!("  {}", self.paint.tone(tone, format!("{mark} {}", self.proof.figures))),
        ];
        lines.extend(self.proof.notes.iter().map(|note| format!("    {note}")));
        lines.extend(self.proof.complaints.iter().map(|text| self.paint.tone(Tone::Bad, format!("    {text}"))));
        lines
    }

    fn further(&self) -> Vec<String> {
        let places = self.places;
        vec![
            self.heading("Look further", ""),
            self.fact("Rows", &format!("{}   one JSON object a line, as the table gets it", places.rows.display())),
            self.fact("Report", &format!("{}   these rows as a page for a browser", places.report.display())),
            self.fact("State", &format!("{}   the watermark, and what was delivered", places.state.display())),
            self.fact("Log", &places.log.display().to_string()),
            self.fact("Break it", "cargo run --release --example demo -- --faults"),
            self.fact("Watch it", "cargo run --release --example demo -- --keep-running"),
            self.fact("Your tenant", "README.md, section Deploying"),
        ]
    }

    fn fact(&self, name: &str, text: &str) -> String {
        format!("  {}  {text}", self.paint.tone(Tone::Quiet, fit(name, 12)))
    }
}

/// An operation without what most of them say.
fn short_operation(name: &str) -> String {
    match name.split_once(COMMON) {
        Some((before, after)) if after.starts_with(|first: char| first.is_ascii_uppercase()) => {
            format!("{before}…{after}")
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_lose_what_they_all_say() {
        for (name, short) in [
            ("SensitivityLabelApplied", "…Applied"),
            ("FileSensitivityLabelChanged", "File…Changed"),
            ("SensitivityLabeledFileOpened", "SensitivityLabeledFileOpened"),
            ("MipLabel", "MipLabel"),
        ] {
            assert_eq!(short_operation(name), short);
        }
    }
}
