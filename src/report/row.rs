//! A row as the report reads it.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::columns::{Columns, Common, Protection, ProtectionEvent, dynamic};

/// Longer texts are cut: the page shows no more of them, and memory stays bounded. In characters.
const SHOWN: usize = 240;
/// Auto-labelling: `MipAutoLabelSharePointItem`, `MipAutoLabelSharePointPolicyLocation` and `MipAutoLabelExchangeItem`
/// (`AuditLogRecordType` of the Management Activity API).
const AUTO_LABELLING: [i64; 3] = [71, 72, 75];

/// Which way a label was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// There was none before.
    Applied,
    /// To a more sensitive one.
    Upgraded,
    /// To one of the same rank.
    SameOrder,
    /// To a less sensitive one.
    Downgraded,
    /// There is none any more.
    Removed,
    /// To another one, and neither the record nor the ranks tell which way.
    Unknown,
}

impl Direction {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Applied, Self::Upgraded, Self::SameOrder, Self::Downgraded, Self::Removed, Self::Unknown];

    /// As `LabelChange` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "Applied",
            Self::Upgraded => "Upgraded",
            Self::SameOrder => "SameOrder",
            Self::Downgraded => "Downgraded",
            Self::Removed => "Removed",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether the item is less protected than before.
    #[must_use]
    pub const fn lowers(self) -> bool {
        matches!(self, Self::Downgraded | Self::Removed)
    }
}

/// How a label came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// By hand.
    Manual,
    /// By hand, as it was recommended.
    Recommended,
    /// It is the default.
    Default,
    /// By a policy.
    Automatic,
    /// The record does not say.
    Unknown,
}

impl Source {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Manual, Self::Recommended, Self::Default, Self::Automatic, Self::Unknown];

    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "By hand",
            Self::Recommended => "Recommended",
            Self::Default => "Default label",
            Self::Automatic => "Automatic",
            Self::Unknown => "Not in the record",
        }
    }
}

/// Why a line is no row.
#[derive(Debug, thiserror::Error)]
pub enum NoRow {
    /// It is no JSON object, or a column is of another type than it is declared.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// It has neither `CreationTime` nor `TimeGenerated` that is a time.
    #[error("it has no CreationTime and no TimeGenerated that is an RFC 3339 time")]
    NoTime,
}

/// A row.
#[derive(Debug)]
pub struct Row<'a> {
    columns: Columns<'a>,
    time: OffsetDateTime,
    common: Common<'a>,
}

impl<'a> Row<'a> {
    /// Reads a row from a line.
    ///
    /// # Errors
    /// See [`NoRow`].
    pub fn read(line: &'a [u8]) -> Result<Self, NoRow> {
        let columns: Columns<'a> = serde_json::from_slice(line)?;
        let time = [&columns.creation_time, &columns.time_generated]
            .into_iter()
            .find_map(|text| OffsetDateTime::parse(&text.0, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC))
            .ok_or(NoRow::NoTime)?;
        Ok(Self { common: dynamic(columns.common), columns, time })
    }

    pub(super) const fn time(&self) -> OffsetDateTime {
        self.time
    }

    /// The id of its record, or nothing.
    pub(super) fn id(&self) -> &str {
        &self.columns.audit_record_id.0
    }

    /// The id of its tenant, or nothing.
    pub(super) fn organization(&self) -> &str {
        &self.columns.organization_id.0
    }

    pub(super) fn tenant(&self) -> String {
        shown(self.organization())
    }

    fn operation(&self) -> &str {
        &self.columns.operation.0
    }

    pub(super) fn workload(&self) -> Cow<'static, str> {
        named(&self.columns.workload.0)
    }

    pub(super) fn application(&self) -> Cow<'static, str> {
        named(first([&self.columns.application.0, &self.common.application_name.0]))
    }

    pub(super) fn device(&self) -> String {
        shown(first([&self.columns.device_name.0, &self.common.device_name.0]))
    }

    pub(super) fn user(&self) -> String {
        shown(&self.columns.user_id.0)
    }

    /// By which a user is known in any spelling.
    pub(super) fn user_key(&self) -> String {
        self.columns.user_id.0.to_lowercase()
    }

    /// Whether a person did it, as far as the record tells.
    pub(super) fn is_person(&self) -> bool {
        !self.columns.user_id.0.is_empty() && !matches!(&*self.columns.user_type.0, "System" | "Application")
    }

    /// The whole path, address or message id.
    pub(super) fn object(&self) -> &str {
        &self.columns.object_id.0
    }

    /// What the item is called.
    pub(super) fn item(&self) -> String {
        let end = self.object().trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
        shown(first([&self.columns.item_name.0, end]))
    }

    /// Where a found file lies: the share, the site, or the top folder.
    pub(super) fn repository(&self) -> String {
        let object = self.object();
        let (separator, parts) = match object {
            _ if object.starts_with(r"\\") => ('\\', 4),
            _ if object.starts_with("http") => {
                let is_site = ["/sites/", "/teams/", "/personal/"].iter().any(|part| object.contains(part));
                ('/', if is_site { 5 } else { 3 })
            }
            _ if object.contains('\\') => ('\\', 2),
            _ => ('/', 2),
        };
        let end = object.match_indices(separator).nth(parts - 1).map_or(object.len(), |(at, _)| at);
        shown(&object[..end])
    }

    /// The id of the label, by which it is known whatever it is called; nothing without one.
    pub(super) fn label_id(&self) -> String {
        shown(&self.columns.sensitivity_label_id.0).to_ascii_lowercase()
    }

    pub(super) fn old_label_id(&self) -> String {
        shown(&self.columns.old_sensitivity_label_id.0).to_ascii_lowercase()
    }

    /// The name of the label, or nothing.
    pub(super) fn label_name(&self) -> String {
        shown(first([&self.columns.sensitivity_label_name.0, &self.columns.label_name.0]))
    }

    pub(super) fn old_label_name(&self) -> String {
        shown(&self.columns.old_sensitivity_label_name.0)
    }

    pub(super) const fn priorities(&self) -> [Option<i64>; 2] {
        [self.columns.sensitivity_label_priority, self.columns.old_sensitivity_label_priority]
    }

    pub(super) fn has_label(&self) -> bool {
        !self.columns.sensitivity_label_id.0.is_empty()
    }

    /// Whether a scanner or client tells what it found.
    pub(super) fn is_found(&self) -> bool {
        self.operation() == "Discover" && !self.object().is_empty()
    }

    /// Whether it shows a label in use. What scanners find is none.
    pub(super) fn shows_use(&self) -> bool {
        self.has_label() && !matches!(self.operation(), "Discover" | "FileDeleted")
    }

    /// Which way the label was changed, if it was.
    pub(super) fn direction(&self) -> Option<Direction> {
        let said = Direction::ALL.into_iter().find(|direction| direction.as_str() == self.columns.label_change.0);
        let both = self.has_label() && !self.columns.old_sensitivity_label_id.0.is_empty();
        said.or_else(|| (both && self.label_id() != self.old_label_id()).then_some(Direction::Unknown))
    }

    /// How the label came about.
    pub(super) fn source(&self) -> Source {
        match &*self.columns.action_source.0 {
            _ if self.is_auto_labelling() => Source::Automatic,
            "Auto" => Source::Automatic,
            "Recommended" => Source::Recommended,
            "Default" => Source::Default,
            "Manual" => Source::Manual,
            _ => Source::Unknown,
        }
    }

    /// How a label that was applied or raised came about.
    pub(super) fn raised_by(&self) -> Option<Source> {
        matches!(self.direction(), Some(Direction::Applied | Direction::Upgraded)).then(|| self.source())
    }

    /// Whether a person lowered the label and gave no reason.
    pub(super) fn lowers_without_reason(&self) -> bool {
        self.direction().is_some_and(Direction::lowers)
            && matches!(self.source(), Source::Manual | Source::Recommended)
            && self.columns.justification_text.0.trim().is_empty()
    }

    pub(super) fn is_auto_labelling(&self) -> bool {
        self.columns.record_type.is_some_and(|number| AUTO_LABELLING.contains(&number))
    }

    pub(super) fn policy(&self) -> Cow<'static, str> {
        named(first([&self.columns.policy_name.0, &self.columns.policy_id.0]))
    }

    pub(super) fn justification(&self) -> String {
        shown(self.columns.justification_text.0.trim())
    }

    /// Whether the item is encrypted after the event, where the record tells.
    pub(super) fn encrypted(&self) -> Option<bool> {
        let protection: Protection = dynamic(self.columns.current_protection_type);
        protection.document_encrypted.0.or_else(|| self.protection_event().is_protected.0)
    }

    fn protection_event(&self) -> ProtectionEvent {
        dynamic(self.columns.protection_event_data)
    }

    /// Whether encryption was taken off.
    pub(super) fn removes_encryption(&self) -> bool {
        let before: Protection = dynamic(self.columns.previous_protection_type);
        let after: Protection = dynamic(self.columns.current_protection_type);
        let event = self.protection_event();
        self.operation() == "RemoveProtection"
            || (before.document_encrypted.0, after.document_encrypted.0) == (Some(true), Some(false))
            || (event.is_protected_before.0, event.is_protected.0) == (Some(true), Some(false))
    }

    /// Whether sensitive information was found in it.
    pub(super) fn is_sensitive(&self) -> bool {
        !dynamic::<Vec<IgnoredAny>>(self.columns.sensitive_info_type_data).is_empty()
    }

    pub(super) fn operation_name(&self) -> String {
        shown(self.operation())
    }
}

fn first(texts: [&str; 2]) -> &str {
    if texts[0].is_empty() { texts[1] } else { texts[0] }
}

/// As [`shown`], or what says that the record has none.
fn named(text: &str) -> Cow<'static, str> {
    if text.is_empty() { Cow::Borrowed("(not in the record)") } else { Cow::Owned(shown(text)) }
}

/// A text as people see it: cut to a legible length, and what would steer the text around it made visible.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == SHOWN {
            shown.push('…');
            break;
        }
        match character {
            '\r' | '\n' | '\t' => shown.push(' '),
            // Bidirectional marks, embeddings and isolates would turn the rest of a line around (UAX #9, 2).
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}
