//! The members of one object, borrowed from its text.

use std::{borrow::Cow, collections::HashMap, fmt};

use super::{Member, Outline, RecordError, json, outline::Place};

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
    text: &'a str,
    places: Cow<'a, [Place]>,
    index: Index,
}

impl fmt::Debug for Members<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries().map(|entry| (entry.name, entry.raw))).finish()
    }
}

impl<'a> Members<'a> {
    /// Reads the text of one object.
    ///
    /// # Errors
    /// The text is no JSON object.
    pub fn parse(text: &'a str) -> Result<Self, RecordError> {
        let mut places = Outline::of(text)?.into_places();
        let (count, index) = settle(text, &mut places);
        places.truncate(count);
        Ok(Self { text, places: Cow::Owned(places), index })
    }

    /// Those at the places that an outline of the text gave.
    pub(super) fn within(text: &'a str, places: &'a mut [Place]) -> Self {
        let (count, index) = settle(text, places);
        Self { text, places: Cow::Borrowed(places.get(..count).unwrap_or_default()), index }
    }

    /// Every member.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let text = self.text;
        self.places.iter().map(move |place| Entry {
            name: place.name(text),
            raw: place.raw(text),
            member: place.member,
        })
    }

    /// The known members that it has, also where they are `null`, as bits by their numbers.
    #[must_use]
    pub const fn known(&self) -> u128 {
        self.index.known
    }

    /// The text of a member's value. `null` is no value.
    #[must_use]
    pub fn get(&self, member: Member) -> Option<&'a str> {
        let raw = self.places.get(self.index.of(member)?)?.raw(self.text);
        (!json::is_null(raw)).then_some(raw)
    }
}

/// Where a member is among the places, by its number: the place plus one, or 0.
#[derive(Clone)]
struct Index {
    places: [u32; Member::ALL.len()],
    /// The members that have a place, as bits by their numbers.
    known: u128,
}

impl Index {
    const EMPTY: Self = Self { places: [0; Member::ALL.len()], known: 0 };

    fn of(&self, member: Member) -> Option<usize> {
        self.places[member as usize].checked_sub(1).map(|at| at as usize)
    }

    fn set(&mut self, member: Member, at: usize) {
        // A text of 4 GiB, which is all that an outline takes, has fewer members.
        self.places[member as usize] = u32::try_from(at + 1).unwrap_or_default();
        self.known |= 1 << member as u8;
    }
}

/// Finds out which of the places are known members, and moves those that count to the front, in their order. Gives their
/// number.
fn settle(text: &str, places: &mut [Place]) -> (usize, Index) {
    let mut index = Index::EMPTY;
    let mut count = 0;
    for at in 0..places.len() {
        let mut place = places[at];
        let name = place.name(text);
        place.member = Member::by_name(&name);
        if let Some(member) = place.member {
            match index.of(member) {
                Some(before) if places[before].name(text) == name => {
                    places[before].take_value(&place);
                    continue;
                }
                Some(_) if name != member.name() => place.member = None,
                before => {
                    if let Some(before) = before {
                        places[before].member = None;
                    }
                    index.set(member, count);
                }
            }
        }
        places[count] = place;
        count += 1;
    }
    let places = &mut places[..count];
    if is_repeated(text, places) { drop_repeated(text, places) } else { (count, index) }
}

/// Whether a name that is no known member's may come twice.
fn is_repeated(text: &str, places: &[Place]) -> bool {
    let unknown = || places.iter().filter(|place| place.member.is_none());
    let comes_before = |(at, place): (usize, &Place)| {
        let name = place.name(text);
        unknown().take(at).any(|before| before.name(text) == name)
    };
    unknown().nth(FEW).is_some() || unknown().enumerate().any(comes_before)
}

/// Drops all but the last of the members that have one name. Those in the index were seen to already.
fn drop_repeated(text: &str, places: &mut [Place]) -> (usize, Index) {
    let unknown = places.iter().filter(|place| place.member.is_none());
    let mut last: HashMap<_, _> = unknown.map(|place| (place.name(text), *place)).collect();
    let mut index = Index::EMPTY;
    let mut count = 0;
    for at in 0..places.len() {
        let mut place = places[at];
        match place.member {
            Some(member) => index.set(member, count),
            None => match last.remove(&place.name(text)) {
                Some(last) => place.take_value(&last),
                None => continue,
            },
        }
        places[count] = place;
        count += 1;
    }
    (count, index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn pairs<'a>(members: &Members<'a>) -> Vec<(Cow<'a, str>, &'a str)> {
        members.entries().map(|entry| (entry.name, entry.raw)).collect()
    }

    #[test]
    fn of_two_equal_names_the_last_wins() {
        let members = Members::parse(r#"{"Id":1,"x":1,"UserId":"u","Id":2,"x":null,"y":[]}"#).unwrap();
        assert_eq!(
            pairs(&members),
            [("Id", "2"), ("x", "null"), ("UserId", "\"u\""), ("y", "[]")].map(|(name, raw)| (name.into(), raw))
        );
        assert_eq!((members.get(Member::Id), members.get(Member::UserId)), (Some("2"), Some("\"u\"")));
    }

    #[test]
    fn an_exact_name_wins_and_the_other_stays_a_member() {
        for text in [r#"{"ID":1,"Id":2,"iD":3}"#, r#"{"Id":2,"ID":1,"iD":3}"#] {
            let members = Members::parse(text).unwrap();
            assert_eq!(members.get(Member::Id), Some("2"), "{text}");
            assert_eq!(members.entries().count(), 3);
            assert_eq!(members.entries().filter(|entry| entry.member.is_some()).count(), 1);
        }
        assert_eq!(Members::parse(r#"{"iD":3}"#).unwrap().get(Member::Id), Some("3"));
    }

    #[test]
    fn null_is_no_value() {
        let members = Members::parse(r#"{"Id":null}"#).unwrap();
        assert_eq!(members.get(Member::Id), None);
        assert_eq!((members.entries().count(), members.known()), (1, 1 << Member::Id as u8));
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
            prop_assert_eq!(read.entries().count(), expected.len());
            for entry in read.entries() {
                prop_assert_eq!(entry.raw, expected[&*entry.name].to_string());
            }
        }

        #[test]
        fn the_rules_of_names_hold_in_any_mix(
            names in prop::collection::vec(
                prop::sample::select(vec!["Id", "ID", "iD", "UserId", "userid", "x", "X", "y", "", "\\u0049d", "\\u0078"]),
                0..12,
            ),
            unknown in prop_oneof![4 => Just(0_usize), 1 => 20..40_usize],
        ) {
            let names: Vec<_> = names.into_iter().map(str::to_owned).chain((0..unknown).map(|at| format!("u{}", at % 30))).collect();
            let body: Vec<_> = names.iter().zip(0..).map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let text = format!("{{{}}}", body.join(","));
            let read = Members::parse(&text).unwrap();

            // Each name once, where it came first, with the value that came last.
            let names: Vec<String> = names.iter().map(|name| serde_json::from_str(&format!("\"{name}\"")).unwrap()).collect();
            let firsts: Vec<_> = names.iter().enumerate().filter(|(at, name)| !names[..*at].contains(name)).map(|(_, name)| name).collect();
            let seen: Vec<_> = read.entries().map(|entry| entry.name.into_owned()).collect();
            prop_assert_eq!(seen.iter().collect::<Vec<_>>(), firsts.clone());
            for entry in read.entries() {
                let last = names.iter().rposition(|name| *name == entry.name).unwrap();
                prop_assert_eq!(entry.raw, last.to_string());
                // A member is found under its exact name, else under the first spelling that came.
                let known = Member::by_name(&entry.name);
                let spellings = || firsts.iter().filter(|name| known.is_some() && Member::by_name(name) == known);
                let chosen = spellings().find(|name| known.is_some_and(|known| known.name() == ***name)).or(spellings().next());
                prop_assert_eq!(entry.member, known.filter(|_| chosen.is_some_and(|name| **name == *entry.name)));
                if let Some(member) = entry.member {
                    prop_assert_eq!(read.get(member), Some(entry.raw));
                }
            }
        }
    }
}
