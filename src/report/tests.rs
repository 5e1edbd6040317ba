//! Sums and orders, for any rows; and the page of them.

use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;

const NOW: time::OffsetDateTime = datetime!(2026-11-23 09:00 UTC);

fn read_all(rows: &[Value]) -> Reading {
    let lines: Vec<_> = rows.iter().map(Value::to_string).collect();
    read(lines.join("\n").as_bytes(), &[], |_| ()).unwrap()
}

fn html(rows: &[Value]) -> String {
    page(&read_all(rows), "Labels", NOW).unwrap()
}

/// The page without what is the same in all: style and scripts.
fn body(html: &str) -> &str {
    let start = html.find("<body>").unwrap();
    let end = html.find("<script>").unwrap();
    &html[start..end]
}

prop_compose! {
    fn row()(
        id in 0_u32..60, hour in 0_i64..700, user in 0_u8..6, label in 0_u8..4, old in 0_u8..4,
        change in prop::sample::select(vec!["", "Applied", "Upgraded", "Downgraded", "SameOrder", "Removed", "?"]),
        operation in prop::sample::select(vec!["Discover", "Access", "SensitivityLabelUpdated", "FileDeleted"]),
        source in prop::sample::select(vec!["", "Manual", "Auto", "Default", "Recommended"]),
        named in any::<bool>(), encrypted in prop::option::of(any::<bool>()), reason in 0_u8..3,
    ) -> Value {
        // One record is one and the same row wherever it stands.
        let time = datetime!(2026-10-20 00:00 UTC) + time::Duration::hours(hour);
        let time = time.format(&time::format_description::well_known::Rfc3339).unwrap();
        let name = |label: u8| if label == 0 { String::new() } else { format!("label-{label}") };
        json!({
            "AuditRecordId": format!("{id}-{time}-{user}-{label}-{old}-{change}-{operation}-{source}-{named}-{encrypted:?}-{reason}"),
            "TimeGenerated": time, "UserId": format!("user{user}@x.example"), "Operation": operation,
            "SensitivityLabelId": name(label), "OldSensitivityLabelId": name(old), "LabelChange": change,
            "SensitivityLabelName": if named && label > 0 { format!("Name {label} at {hour}") } else { String::new() },
            "ActionSource": source, "ObjectId": format!("/share/folder{}/file{}", id % 3, id % 20),
            "JustificationText": "because ".repeat(reason.into()), "Workload": format!("W{}", id % 3),
            "CurrentProtectionType": {"documentEncrypted": encrypted},
        })
    }
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_matter(rows in prop::collection::vec(row(), 1..60), seed: u64) {
        let mut other = rows.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut other);
        prop_assert_eq!(html(&rows), html(&other));
    }

    #[test]
    fn sums_match(rows in prop::collection::vec(row(), 1..60)) {
        let reading = read_all(&rows);
        let figures = &reading.figures;
        let sum = |figures: &[u64]| figures.iter().sum::<u64>();
        prop_assert_eq!(figures.rows + figures.repeats, rows.len() as u64);
        let days: Vec<_> = figures.days.iter().map(|(_, day)| day).collect();
        prop_assert_eq!(days.iter().map(|day| day.rows).sum::<u64>(), figures.rows);
        prop_assert_eq!(days.iter().map(|day| day.hours.iter().map(|hour| sum(hour)).sum::<u64>()).sum::<u64>(), figures.rows);
        for way in Direction::ALL {
            let by_day = days.iter().map(|day| day.directions[way as usize]).sum::<u64>();
            let by_workload = figures.workloads.ranked().iter().map(|(_, ways)| ways.0[way as usize]).sum::<u64>();
            prop_assert_eq!((by_day, by_workload), (figures.directions[way as usize], figures.directions[way as usize]));
        }
        let events = figures.labels.ranked().iter().map(|(_, label)| label.events).sum::<u64>();
        prop_assert_eq!(figures.applications.ranked().iter().map(|(_, events)| **events).sum::<u64>(), events);
        let by_day = |of: fn(&Day) -> &Top<String, u64>| {
            days.iter().flat_map(|day| of(day).ranked()).map(|(_, events)| *events).sum::<u64>()
        };
        prop_assert_eq!((by_day(|day| &day.labels), by_day(|day| &day.workloads)), (events, events));
        let lowered = figures.lowered_in_all();
        prop_assert_eq!(figures.ways_down.ranked().iter().map(|(_, changes)| **changes).sum::<u64>(), lowered);
        prop_assert_eq!(figures.justifications.ranked().iter().map(|(_, changes)| **changes).sum::<u64>(), lowered);
        prop_assert_eq!(figures.lowering.ranked().iter().map(|(_, user)| user.weight()).sum::<u64>(), lowered);
        prop_assert_eq!(figures.lowered.len() as u64, lowered.min(50));
        prop_assert_eq!(sum(&figures.sources), figures.directions[0] + figures.directions[1]);
        prop_assert!(figures.named <= figures.labelled && figures.without_reason <= lowered);
        prop_assert!(figures.changers.number() <= figures.users.number());
    }

    #[test]
    fn no_text_of_a_row_adds_a_tag_an_attribute_or_an_entity(text in "[a<>\"'&;/=!-]{0,30}") {
        let with = |text: &str| {
            let all = ["AuditRecordId", "UserId", "ObjectId", "ItemName", "SensitivityLabelId", "OldSensitivityLabelId",
                "SensitivityLabelName", "OldSensitivityLabelName", "JustificationText", "Workload", "Application",
                "DeviceName", "OrganizationId", "PolicyName"];
            let mut row = json!({"TimeGenerated": "2026-11-20T09:00:00Z", "LabelChange": "Downgraded", "RecordType": 71,
                "CurrentProtectionType": {"documentEncrypted": false}, "PreviousProtectionType": {"documentEncrypted": true}});
            for name in all {
                row[name] = json!(text);
            }
            let mut found = row.clone();
            found["Operation"] = json!("Discover");
            found["AuditRecordId"] = json!("found");
            page(&read_all(&[row, found, json!(text)]), text, NOW).unwrap()
        };
        // The slash would change what a path's last part is.
        let text = format!("x{}", text.replace('/', "|"));
        let (with, without) = (with(&text), with("x"));
        for mark in ['<', '>', '"'] {
            let count = |html: &str| body(html).split("<script type").next().unwrap().matches(mark).count();
            prop_assert_eq!(count(&with), count(&without), "{}", mark);
        }
        prop_assert_eq!(with.matches("</script>").count(), 3);
    }
}

#[test]
fn a_page_loads_nothing_and_allows_nothing_else() {
    let html = html(&[json!({"TimeGenerated": "2026-11-20T09:00:00Z", "LabelChange": "Applied"})]);
    let own = format!("{}{}", body(&html), &html[..html.find("<style>").unwrap()]);
    for part in ["http:", "https:", "src=", "href=", "url(", "@import", "onload", "style="] {
        assert!(!own.contains(part), "{part}");
    }
    assert!(html.contains("content=\"default-src &#39;none&#39;; script-src &#39;sha256-"), "{own}");
    assert!(html.contains(GENERATOR));
}

#[test]
fn the_charting_code_is_the_one_that_its_page_tells_of() {
    use sha2::{Digest, Sha256};
    let code = include_bytes!("page/charts/charts.min.js");
    let digest: String = Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(include_str!("page/charts/README.md").contains(&digest), "SHA-256 is {digest}");
    let code = String::from_utf8_lossy(code);
    assert!(code.starts_with("/*! Apache ECharts") && !code.contains("</script") && !code.contains("<!--"));
}

#[test]
fn a_label_without_a_name_is_called_by_its_id_and_one_with_names_by_the_latest() {
    let row = |id: &str, time: &str, name: &str| json!({"AuditRecordId": format!("{id}{time}"), "TimeGenerated": time, "SensitivityLabelId": id, "SensitivityLabelName": name});
    let rows = [
        row("B2F1C5A4-7C1E-4F0A-8A51-3F0E6D9C2B01", "2026-11-20T09:00:00Z", ""),
        row("two", "2026-11-20T10:00:00Z", "New"),
        row("two", "2026-11-20T09:00:00Z", "Old"),
        row("TWO", "2026-11-20T11:00:00Z", ""),
    ];
    let reading = read_all(&rows);
    assert_eq!(reading.figures.label("two"), "New");
    assert_eq!(reading.figures.label("b2f1c5a4-7c1e-4f0a-8a51-3f0e6d9c2b01"), "b2f1c5a4…");
    assert_eq!((reading.figures.labelled, reading.figures.named), (4, 2));
    assert!(html(&rows).contains("50.0 %"));
}

#[test]
fn a_file_counts_as_it_was_found_last() {
    let found = |time: &str, object: &str, label: &str, types: Value| {
        json!({"TimeGenerated": time, "Operation": "Discover", "ObjectId": object, "SensitivityLabelId": label,
            "SensitiveInfoTypeData": types, "ProtectionEventData": {"IsProtected": "True"}})
    };
    let rows = [
        found("2026-11-20T10:00:00Z", r"\\files01\Legal\a.docx", "x", json!([])),
        found("2026-11-20T09:00:00Z", r"\\files01\Legal\a.docx", "", json!([{"Count": 1}])),
        found("2026-11-20T09:00:00Z", r"\\files01\Legal\b.docx", "", json!([{"Count": 1}])),
        found("2026-11-20T09:00:00Z", "https://x.example/sites/HR/Shared/c.docx", "", json!("cut")),
    ];
    let reading = read_all(&rows);
    let mut files: Vec<_> = reading.figures.found.values().collect();
    files.sort_by_key(|found| (found.repository.as_str(), found.labelled));
    let told: Vec<_> = files.iter().map(|found| (found.repository.as_str(), found.labelled, found.sensitive)).collect();
    let (share, site) = (r"\\files01\Legal", "https://x.example/sites/HR");
    assert_eq!(told, [(share, false, true), (share, true, false), (site, false, false)]);
    assert!(files.iter().all(|found| found.protected));
}

#[test]
fn what_would_turn_a_line_around_is_made_visible() {
    assert_eq!(row::shown("a\u{202e}fdp.exe\r\nb\u{7}"), "a\\u{202e}fdp.exe  b\\u{7}");
    let long = row::shown(&"ä".repeat(64 << 10));
    assert_eq!((long.chars().count(), long.ends_with('…')), (241, true));
}
