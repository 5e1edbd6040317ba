//! `AdditionalFields`: what no column took.

use super::{
    encode::escape,
    limit::{DEEPEST, put_json, shrink},
    origin::{MemberSet, Source},
};
use crate::record::{Entry, Member, json};

/// Inside `AdditionalFields` and there inside `SensitivityLabelEventData` a value lies two levels deeper.
const DEEPEST_INSIDE: usize = DEEPEST - 2;

/// Writes the object of at most `cap` bytes. `None` if there is nothing to write, else whether it was cut.
pub(super) fn write(out: &mut Vec<u8>, source: &Source<'_, '_>, taken: &MemberSet, cap: usize) -> Option<bool> {
    let start = out.len();
    let mut cut = false;
    for entry in source.record.members().entries() {
        match (entry.member, &source.event) {
            (Some(Member::SensitivityLabelEventData), Some(event)) => {
                let left = || event.entries().filter(|entry| is_left(entry, |member| taken.has_event(member)));
                if left().next().is_none() {
                    continue;
                }
                name(out, start, "SensitivityLabelEventData");
                let inner = out.len();
                for entry in left() {
                    name(out, inner, &entry.name);
                    cut |= put_json(out, entry.raw, usize::MAX, DEEPEST_INSIDE);
                }
                out.push(b'}');
            }
            _ if is_left(&entry, |member| taken.has_top(member)) => {
                name(out, start, &entry.name);
                cut |= put_json(out, entry.raw, usize::MAX, DEEPEST_INSIDE);
            }
            _ => {}
        }
    }
    if out.len() == start {
        return None;
    }
    out.push(b'}');
    if out.len() - start > cap {
        let whole = String::from_utf8_lossy(&out[start..]).into_owned();
        out.truncate(start);
        cut |= shrink(out, &whole, cap);
    }
    Some(cut)
}

/// A member that columns are made of is left if none took it, unless it is `null`, which an absent column says as well.
fn is_left(entry: &Entry<'_>, taken: impl Fn(Member) -> bool) -> bool {
    entry.member.is_none_or(|member| !taken(member) && !json::is_null(entry.raw))
}

fn name(out: &mut Vec<u8>, start: usize, name: &str) {
    out.push(if out.len() == start { b'{' } else { b',' });
    escape(out, name);
    out.push(b':');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{labels::Catalogue, record::Record, row::origin::Origin};

    fn additional(text: &str, taken: &[Origin], cap: usize) -> Option<(Value, bool)> {
        let record = Record::parse(text).unwrap();
        let labels = Catalogue::default();
        let source = Source::new(&record, &labels);
        let mut all = MemberSet::default();
        taken.iter().for_each(|&origin| all.note(origin));
        let mut out = Vec::new();
        let cut = write(&mut out, &source, &all, cap)?;
        assert!(out.len() <= cap);
        Some((serde_json::from_slice(&out).unwrap(), cut))
    }

    #[test]
    fn what_was_not_taken_is_kept_under_its_own_name() {
        let text = r#"{"UserId":"u","userid":"v","Version":1,"Other":null,"Scope":null,
            "SensitivityLabelEventData":{"LabelEventType":1,"New":[1]}}"#;
        let taken = [Origin::Top(Member::UserId), Origin::Event(Member::LabelEventType)];
        let expected = json!({"userid": "v", "Version": 1, "Other": null, "SensitivityLabelEventData": {"New": [1]}});
        assert_eq!(additional(text, &taken, 1000), Some((expected, false)));
    }

    #[test]
    fn nothing_left_is_nothing_written() {
        let text = r#"{"UserId":"u","Scope":null,"SensitivityLabelEventData":{"LabelEventType":null}}"#;
        assert_eq!(additional(text, &[Origin::Top(Member::UserId)], 1000), None);
        assert_eq!(additional("{}", &[], 1000), None);
        assert_eq!(additional(r#"{"SensitivityLabelEventData":{}}"#, &[], 1000), None);
    }

    #[test]
    fn event_data_that_is_no_object_is_kept_whole() {
        let text = r#"{"SensitivityLabelEventData":"text"}"#;
        assert_eq!(additional(text, &[], 1000), Some((json!({"SensitivityLabelEventData": "text"}), false)));
    }

    #[test]
    fn too_much_is_cut() {
        let text = json!({"Small": 1, "Large": "x".repeat(5000)}).to_string();
        let (value, cut) = additional(&text, &[], 1000).unwrap();
        assert!(cut);
        assert_eq!(value["Small"], 1);
        assert!(value["Large"].as_str().unwrap().len() > 900);
    }
}
