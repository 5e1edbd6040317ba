//! The names of numbers. The table holds names where the records hold numbers.

use std::borrow::Cow;

use crate::record::json;

/// The names of an enum, by number from 0.
pub(super) type Names = &'static [&'static str];

// LabelEventType to Platform: "AIP" pages of the Office 365 Management Activity API documentation, Power BI's
// sensitivity label audit schema, and the map of Microsoft's DLP sample function (OfficeDev/O365-ActivityFeed-AzureFunction).

pub(super) const LABEL_EVENT_TYPE: Names =
    &["None", "LabelUpgraded", "LabelDowngraded", "LabelRemoved", "LabelChangedSameOrder"];
pub(super) const ACTION_SOURCE: Names = &["None", "Default", "Auto", "Manual", "Recommended"];
pub(super) const ACTION_SOURCE_DETAIL: Names = &[
    "None",
    "AutoByPolicyMatch",
    "AutoByReplyOrForward",
    "AutoByInheritance",
    "AutoByDeploymentPipeline",
    "PublicAPI",
    "AutoByLibraryDefault",
];
pub(super) const TARGET_LOCATION: Names = &["Unknown", "Local", "Remote", "Removable", "Cloud", "FileShare"];
pub(super) const PLATFORM: Names = &["Unknown", "Windows", "MacOS", "iOS", "Android", "Web Browser"];

// "Common schema" of the Management Activity API; `Onprem` is so spelled in the built-in table.

pub(super) const SCOPE: Names = &["Online", "Onprem"];
pub(super) const USER_TYPE: Names = &[
    "Regular",
    "Reserved",
    "Admin",
    "DcAdmin",
    "System",
    "Application",
    "ServicePrincipal",
    "CustomPolicy",
    "SystemPolicy",
    "PartnerTechnician",
    "Guest",
];

/// For enums whose names are not public, as those of the protection: every number stays a decimal.
pub(super) const UNPUBLISHED: Names = &[];

/// The name for a value: of a number (also one in a string) its name, or its decimal where it has none; of other
/// strings their text.
pub(super) fn name_of<'a>(names: Names, raw: &'a str) -> Cow<'a, str> {
    // Most strings are names, and no number begins so.
    let is_name = raw.starts_with('"') && raw[1..].starts_with(|first: char| first.is_ascii_alphabetic());
    if !is_name && let Some(number) = json::integer(raw) {
        let name = usize::try_from(number).ok().and_then(|number| names.get(number));
        return name.map_or_else(|| Cow::Owned(number.to_string()), |&name| Cow::Borrowed(name));
    }
    json::text(raw).unwrap_or(Cow::Borrowed(raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_names_and_unknown_numbers_decimals() {
        for (raw, expected) in [
            ("2", "LabelDowngraded"),
            ("\"2\"", "LabelDowngraded"),
            ("2.0", "LabelDowngraded"),
            ("\"LabelDowngraded\"", "LabelDowngraded"),
            ("17", "17"),
            ("-1", "-1"),
            ("\"17\"", "17"),
            ("2.5", "2.5"),
            ("\"new\"", "new"),
        ] {
            assert_eq!(name_of(LABEL_EVENT_TYPE, raw), expected, "{raw}");
        }
        assert_eq!(name_of(UNPUBLISHED, "0"), "0");
    }
}
