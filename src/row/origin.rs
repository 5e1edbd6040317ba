//! Where in a record a column's value comes from.

use std::borrow::Cow;

use uuid::Uuid;

use crate::{
    labels::{Catalogue, Label},
    record::{Member, Members, Record, json},
};

/// A place in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A member of the record.
    Top(Member),
    /// A member of its `SensitivityLabelEventData`.
    Event(Member),
    /// A part of a member that has a dynamic column of its own.
    Within(Member, &'static str),
    /// The same, for these record types alone.
    WithinOf(&'static [i64], Member, &'static str),
    /// A part of the first of `PolicyDetails`, as data loss prevention reports matches.
    Policy(&'static str),
    /// A part of the first rule of the first of `PolicyDetails`.
    Rule(&'static str),
    /// `OldValue` or `NewValue` of the modified property that is the label of a site.
    Site(&'static str),
}

use Member as M;
use Origin::{Event, Site, Top};

/// Where the label is.
pub(super) const LABEL: &[Origin] = &[
    Event(M::SensitivityLabelId),
    Top(M::SensitivityLabelId),
    Top(M::LabelId),
    Top(M::DestinationLabel),
    Site("NewValue"),
];

/// Where the label before is.
pub(super) const OLD_LABEL: &[Origin] =
    &[Event(M::OldSensitivityLabelId), Top(M::OldSensitivityLabelId), Top(M::SourceLabel), Site("OldValue")];

/// Members of a record and of its `SensitivityLabelEventData`: those that it has, those where a column looks, or those that
/// columns took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MemberSet {
    top: u128,
    event: u128,
}

impl MemberSet {
    /// The members in which values at `origins` lie.
    pub const fn of(origins: &[Origin]) -> Self {
        let mut set = Self { top: 0, event: 0 };
        let mut at = 0;
        while at < origins.len() {
            match origins[at] {
                Top(member) | Origin::Within(member, _) | Origin::WithinOf(_, member, _) => set.top |= bit(member),
                Event(member) => set.event |= bit(member),
                Origin::Policy(_) | Origin::Rule(_) => set.top |= bit(M::PolicyDetails),
                Site(_) => set.top |= bit(M::ModifiedProperties),
            }
            at += 1;
        }
        set
    }

    /// The members that are there.
    fn present(record: &Members<'_>, event: Option<&Members<'_>>) -> Self {
        Self { top: record.known(), event: event.map_or(0, Members::known) }
    }

    /// Whether they have a member in common.
    pub const fn meets(self, other: Self) -> bool {
        self.top & other.top != 0 || self.event & other.event != 0
    }

    /// Notes that a column took the value whole. Of the other places a part is taken and the whole stays.
    pub const fn note(&mut self, origin: Origin) {
        match origin {
            Top(member) => self.top |= bit(member),
            Event(member) => self.event |= bit(member),
            _ => {}
        }
    }

    /// Whether a column took this member of the record.
    pub const fn has_top(&self, member: Member) -> bool {
        self.top & bit(member) != 0
    }

    /// Whether a column took this member of `SensitivityLabelEventData`.
    pub const fn has_event(&self, member: Member) -> bool {
        self.event & bit(member) != 0
    }
}

const fn bit(member: Member) -> u128 {
    1 << member as u8
}

/// A record, and what columns ask of it more than once.
#[derive(Debug)]
pub(super) struct Source<'r, 'a> {
    pub record: &'r Record<'a>,
    pub record_type: Option<i64>,
    /// `SensitivityLabelEventData`, if it is an object.
    pub event: Option<Members<'a>>,
    /// What it has.
    pub present: MemberSet,
    /// The label before, where the record has its id and the catalogue knows it.
    pub old_label: Option<&'r Label>,
    /// The label, likewise.
    pub label: Option<&'r Label>,
    /// Whether the record has the id of a label before.
    pub had_label: bool,
    /// Ids of labels that the catalogue does not know.
    pub unknown_labels: u32,
    /// Those of them that are GUIDs.
    pub unknown_ids: [Option<Uuid>; 2],
}

impl<'r, 'a> Source<'r, 'a> {
    pub fn new(record: &'r Record<'a>, labels: &'r Catalogue) -> Self {
        let event = record.get(M::SensitivityLabelEventData).and_then(|raw| Members::parse(raw).ok());
        let mut source = Self {
            record,
            record_type: record.record_type(),
            present: MemberSet::present(record.members(), event.as_ref()),
            event,
            old_label: None,
            label: None,
            had_label: false,
            unknown_labels: 0,
            unknown_ids: [None; 2],
        };
        let (old, new) = (source.label_id(OLD_LABEL), source.label_id(LABEL));
        source.old_label = old.as_ref().and_then(|id| labels.get(id));
        source.label = new.as_ref().and_then(|id| labels.get(id));
        source.had_label = old.is_some();
        let unknown = [old.filter(|_| source.old_label.is_none()), new.filter(|_| source.label.is_none())];
        source.unknown_labels = unknown.iter().flatten().count() as u32;
        source.unknown_ids = unknown.map(|id| Uuid::try_parse(id?.trim()).ok());
        source
    }

    /// The id of a label; the GUID of zeros is none.
    fn label_id(&self, origins: &[Origin]) -> Option<Cow<'a, str>> {
        let (_, raw) = self.pick(origins)?;
        json::text(raw).filter(|id| id.bytes().any(|byte| !matches!(byte, b'0' | b'-' | b'{' | b'}' | b' ')))
    }

    /// The first value that is there; one that is no empty string goes before one that is.
    pub fn pick(&self, origins: &[Origin]) -> Option<(Origin, &'a str)> {
        let mut empty = None;
        for &origin in origins {
            match self.get(origin) {
                Some("\"\"") => empty = empty.or(Some((origin, "\"\""))),
                Some(raw) => return Some((origin, raw)),
                None => {}
            }
        }
        empty
    }

    /// The text of the value at a place; `null` is no value.
    pub fn get(&self, origin: Origin) -> Option<&'a str> {
        match origin {
            Origin::Top(member) => self.record.get(member),
            Origin::Event(member) => self.event.as_ref()?.get(member),
            Origin::Within(member, part) => json::member(self.record.get(member)?, part),
            Origin::WithinOf(types, member, part) => {
                types.contains(&self.record_type?).then(|| self.get(Origin::Within(member, part)))?
            }
            Origin::Policy(part) => json::member(self.policies().next()?, part),
            Origin::Rule(part) => json::member(rules(self.policies().next()?).next()?, part),
            Origin::Site(part) => self.site_label(part),
        }
    }

    /// What all rules of all policies say under one name.
    pub fn of_all_rules(&self, part: &str) -> impl Iterator<Item = &'a str> {
        self.policies().flat_map(rules).filter_map(move |rule| json::member(rule, part))
    }

    fn policies(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.record.get(M::PolicyDetails).into_iter().flat_map(one_or_many)
    }

    /// Sites tell their label in `ModifiedProperties`. Their shape is not documented, so a property is believed only
    /// if its name says that it is the label and its value is a GUID.
    fn site_label(&self, part: &str) -> Option<&'a str> {
        let is_label = |property: &&str| {
            let name = json::member(property, "Name").and_then(json::text).unwrap_or_default();
            let letters = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
            letters.collect::<Vec<_>>().windows(b"sensitivitylabel".len()).any(|letters| letters == b"sensitivitylabel")
        };
        let is_guid = |raw: &&str| json::text(raw).is_some_and(|text| uuid::Uuid::try_parse(text.trim()).is_ok());
        json::elements(self.record.get(M::ModifiedProperties)?)
            .filter(is_label)
            .filter_map(|property| json::member(property, part))
            .find(is_guid)
    }
}

fn rules(policy: &str) -> impl Iterator<Item = &str> {
    json::member(policy, "Rules").into_iter().flat_map(one_or_many)
}

/// The elements of an array, or the object that stands in its place.
fn one_or_many(raw: &str) -> impl Iterator<Item = &str> {
    json::elements(raw).chain(json::is_object(raw).then_some(raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(text: &str, test: impl FnOnce(&Source<'_, '_>) -> T) -> T {
        let record = Record::parse(text).unwrap();
        test(&Source::new(&record, &Catalogue::default()))
    }

    #[test]
    fn the_first_value_that_says_something_is_picked() {
        let text = r#"{"SensitivityLabelEventData":{"SensitivityLabelId":""},"SensitivityLabelId":null,"LabelId":"x"}"#;
        with(text, |source| assert_eq!(source.pick(LABEL), Some((Top(M::LabelId), "\"x\""))));
        let text = r#"{"SensitivityLabelEventData":{"SensitivityLabelId":""}}"#;
        with(text, |source| assert_eq!(source.pick(LABEL), Some((Event(M::SensitivityLabelId), "\"\""))));
        with("{}", |source| assert_eq!(source.pick(LABEL), None));
    }

    #[test]
    fn policies_and_rules_may_be_one_or_many() {
        for text in [
            r#"{"PolicyDetails":[{"PolicyId":"p","Rules":[{"RuleId":"r"},{"RuleId":"s"}]},{"PolicyId":"q"}]}"#,
            r#"{"policydetails":{"policyId":"p","rules":[{"ruleid":"r"},{"RuleId":"s"}]}}"#,
        ] {
            with(text, |source| {
                assert_eq!(source.get(Origin::Policy("PolicyId")), Some("\"p\""));
                assert_eq!(source.get(Origin::Rule("RuleId")), Some("\"r\""));
                assert_eq!(source.of_all_rules("RuleId").collect::<Vec<_>>(), ["\"r\"", "\"s\""]);
            });
        }
        with(r#"{"PolicyDetails":"text"}"#, |source| assert_eq!(source.get(Origin::Rule("RuleId")), None));
    }

    #[test]
    fn the_label_of_a_site_is_a_guid_under_the_name_of_the_label() {
        let text = r#"{"ModifiedProperties":[
            {"Name":"Title","NewValue":"11111111-1111-4111-8111-111111111111"},
            {"Name":"Sensitivity Label Name","NewValue":"Public","OldValue":""},
            {"Name":"SensitivityLabelId","NewValue":"22222222-2222-4222-8222-222222222222","OldValue":""}]}"#;
        with(text, |source| {
            assert_eq!(source.get(Site("NewValue")), Some("\"22222222-2222-4222-8222-222222222222\""));
            assert_eq!(source.get(Site("OldValue")), None);
        });
    }

    #[test]
    fn the_guid_of_zeros_is_no_label() {
        let text = r#"{"SensitivityLabelEventData":{"OldSensitivityLabelId":"00000000-0000-0000-0000-000000000000"}}"#;
        with(text, |source| assert!(!source.had_label && source.unknown_labels == 0));
        with(r#"{"SourceLabel":"a","DestinationLabel":"b"}"#, |source| {
            assert!(source.had_label && source.unknown_labels == 2);
            assert_eq!(source.unknown_ids, [None, None], "no label of a tenant has such an id");
        });
        let id = "ABCDEF00-0000-4000-8000-000000000001";
        with(&format!(r#"{{"SourceLabel":"{{{id}}}","DestinationLabel":" {id}"}}"#), |source| {
            assert_eq!(source.unknown_ids, [Some(id.parse().unwrap()); 2]);
        });
    }
}
