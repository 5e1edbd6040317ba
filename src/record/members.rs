//! The members of one object, borrowed from its text.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Member, RecordError, json, peek::Name};

/// From so many unknown members on, a map finds the repeated ones.
const FEW: usize = 24;

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name as it was written, without escapes.
    pub name: Cow<'a, str>,
    /// The text of its value, valid JSON.
    pub raw: &'a str,
    /// Which member it is found under, if any.
    pub member: Option<Member>,
}

/// All members of an object, in their order. Those that columns are made of are found by [`Member`], in any case of
/// their names; an exact name wins over another, and of two equal names the last.
#[derive(Clone)]
pub struct Members<'a> {
    entries: Vec<Entry<'a>>,
    /// By number of the member: its entry plus one, or 0.
    index: [u32; Member::ALL.len()],
}

impl fmt::Debug for Members<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|entry| (&entry.name, entry.raw))).finish()
    }
}

impl<'a> Members<'a> {
    /// Reads the text of one object.
    ///
    /// # Errors
    /// The text is no JSON object.
    pub fn parse(text: &'a str) -> Result<Self, RecordError> {
        RecordError::unless_object(text)?;
        let mut parser = serde_json::Deserializer::from_str(text);
        let members = parser.deserialize_map(Collect).and_then(|members| parser.end().map(|()| members));
        members.map_err(|error| RecordError::malformed(&error))
    }

    /// Every member.
    #[must_use]
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The text of a member's value. `null` is no value.
    #[must_use]
    pub fn get(&self, member: Member) -> Option<&'a str> {
        let at = self.index[member as usize].checked_sub(1)?;
        let raw = self.entries.get(at as usize)?.raw;
        (!json::is_null(raw)).then_some(raw)
    }

    fn add(&mut self, name: Cow<'a, str>, raw: &'a str) {
        let mut entry = Entry { member: Member::by_name(&name), name, raw };
        if let Some(member) = entry.member {
            let place = &mut self.index[member as usize];
            let before = place.checked_sub(1).and_then(|at| self.entries.get_mut(at as usize));
            match before {
                Some(before) if before.name == entry.name => {
                    before.raw = raw;
                    return;
                }
                Some(_) if entry.name != member.name() => entry.member = None,
                before => {
                    if let Some(before) = before {
                        before.member = None;
                    }
                    // A record of 32 MiB has fewer than 2^23 members.
                    *place = u32::try_from(self.entries.len() + 1).unwrap_or_default();
                }
            }
        }
        self.entries.push(entry);
    }

    /// Drops all but the last of the members that have one name. Those with a place were seen to already.
    fn drop_repeated(&mut self) {
        let unknown = self.entries.iter().filter(|entry| entry.member.is_none());
        let names: Vec<_> = unknown.clone().take(FEW).map(|entry| &entry.name).collect();
        if names.len() < FEW && !names.iter().enumerate().any(|(at, name)| names[..at].contains(name)) {
            return;
        }
        let mut last: HashMap<_, _> = unknown.map(|entry| (entry.name.clone(), entry.raw)).collect();
        let entries = std::mem::take(&mut self.entries);
        for mut entry in entries {
            match entry.member {
                Some(member) => {
                    self.index[member as usize] = u32::try_from(self.entries.len() + 1).unwrap_or_default();
                }
                None => match last.remove(&entry.name) {
                    Some(raw) => entry.raw = raw,
                    None => continue,
                },
            }
            self.entries.push(entry);
        }
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members { entries: Vec::with_capacity(32), index: [0; Member::ALL.len()] };
        while let Some(Name(name)) = map.next_key()? {
            members.add(name, map.next_value::<&RawValue>()?.get());
        }
        members.drop_repeated();
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn pairs<'a>(members: &'a Members<'_>) -> Vec<(&'a str, &'a str)> {
        members.entries().iter().map(|entry| (&*entry.name, entry.raw)).collect()
    }

    #[test]
    fn of_two_equal_names_the_last_wins() {
        let members = Members::parse(r#"{"Id":1,"x":1,"UserId":"u","Id":2,"x":null,"y":[]}"#).unwrap();
        assert_eq!(pairs(&members), [("Id", "2"), ("x", "null"), ("UserId", "\"u\""), ("y", "[]")]);
        assert_eq!((members.get(Member::Id), members.get(Member::UserId)), (Some("2"), Some("\"u\"")));
    }

    #[test]
    fn an_exact_name_wins_and_the_other_stays_a_member() {
        for text in [r#"{"ID":1,"Id":2,"iD":3}"#, r#"{"Id":2,"ID":1,"iD":3}"#] {
            let members = Members::parse(text).unwrap();
            assert_eq!(members.get(Member::Id), Some("2"), "{text}");
            assert_eq!(members.entries().len(), 3);
            assert_eq!(members.entries().iter().filter(|entry| entry.member.is_some()).count(), 1);
        }
        assert_eq!(Members::parse(r#"{"iD":3}"#).unwrap().get(Member::Id), Some("3"));
    }

    #[test]
    fn null_is_no_value() {
        let members = Members::parse(r#"{"Id":null}"#).unwrap();
        assert_eq!(members.get(Member::Id), None);
        assert_eq!(members.entries().len(), 1);
    }

    proptest! {
        #[test]
        fn members_are_those_that_a_parser_finds(
            members in prop::collection::vec((prop_oneof!["[a-c]{0,2}", "[a-z]{3}", Just("Id".to_owned()), any::<String>()], any::<i32>()), 0..60),
        ) {
            let body: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
            let text = format!("{{{}}}", body.join(","));
            let read = Members::parse(&text).unwrap();
            let expected: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.entries().len(), expected.len());
            for entry in read.entries() {
                prop_assert_eq!(entry.raw, expected[&*entry.name].to_string());
            }
        }
    }
}
