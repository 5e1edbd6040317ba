//! Bodies that are split, in one chunk and in many.

use proptest::prelude::*;
use serde_json::{Value, value::RawValue};

use super::*;
use crate::record::outline::{
    self,
    tests::{json, mutated},
};

#[derive(Debug, PartialEq)]
enum Seen {
    Whole(String),
    TooLarge(usize, u64),
}

fn split_by(mut splitter: Splitter, chunks: &[&[u8]]) -> (Vec<Seen>, Result<(), SplitError>) {
    let mut seen = Vec::new();
    for chunk in chunks {
        let pushed = splitter.push(chunk, |element| {
            seen.push(match element {
                Element::Record { bytes, .. } | Element::Other(bytes) => {
                    Seen::Whole(String::from_utf8_lossy(bytes).into_owned())
                }
                Element::TooLarge { head, bytes } => Seen::TooLarge(head.len(), bytes),
            });
        });
        if pushed.is_err() {
            return (seen, pushed);
        }
    }
    let finished = splitter.finish();
    assert_eq!(splitter.elements(), seen.len() as u64);
    (seen, finished)
}

/// The bytes of an element, and of a record its members.
type Kind = (Vec<u8>, Option<Vec<outline::Place>>);

/// Each element with whether it is a record, and the members of those that are.
fn kinds(limit: usize, chunks: &[&[u8]]) -> (Vec<Kind>, Result<(), SplitError>) {
    let mut splitter = Splitter::with_limit(limit);
    let mut seen = Vec::new();
    for chunk in chunks {
        let pushed = splitter.push(chunk, |element| {
            seen.push(match element {
                Element::Record { bytes, outline } => (bytes.to_vec(), Some(outline.places().to_vec())),
                Element::Other(bytes) => (bytes.to_vec(), None),
                Element::TooLarge { head, bytes } => ([head, bytes.to_string().as_bytes()].concat(), None),
            });
        });
        if pushed.is_err() {
            return (seen, pushed);
        }
    }
    let finished = splitter.finish();
    (seen, finished)
}

fn split(body: &str) -> (Vec<String>, Result<(), SplitError>) {
    let (seen, result) = split_by(Splitter::new(), &[body.as_bytes()]);
    let texts = seen.into_iter().map(|element| match element {
        Seen::Whole(text) => text,
        other @ Seen::TooLarge(..) => panic!("{other:?}"),
    });
    (texts.collect(), result)
}

#[test]
fn an_empty_array_has_no_elements() {
    for body in ["[]", " [ \n] \r\n", "\u{feff}[]", "\u{feff} []"] {
        assert_eq!(split(body), (vec![], Ok(())), "{body:?}");
    }
}

#[test]
fn elements_are_yielded_as_they_stand_without_space_around_them() {
    let (seen, result) = split(r#" [ {"a":"},]\"["} , 7 ,"x", null,[1,[2]] ] "#);
    assert_eq!(seen, [r#"{"a":"},]\"["}"#, "7", r#""x""#, "null", "[1,[2]]"]);
    assert_eq!(result, Ok(()));
}

#[test]
fn a_missing_comma_harms_no_record() {
    let (seen, result) = split("[{\"a\":1}{\"b\":[{}]} \r\n{\"c\":{}} x {\"d\":1}]");
    assert_eq!(seen, [r#"{"a":1}"#, r#"{"b":[{}]}"#, r#"{"c":{}} x"#, r#"{"d":1}"#]);
    assert_eq!(result, Ok(()));
}

#[test]
fn a_broken_element_harms_only_itself() {
    let (seen, result) = split(r#"[{"a":1},{"a" 1]},nonsense,,{"b":2},]"#);
    assert_eq!(seen, [r#"{"a":1}"#, r#"{"a" 1]}"#, "nonsense", "", r#"{"b":2}"#, ""]);
    assert_eq!(result, Ok(()));
}

#[test]
fn a_body_that_ends_early_is_truncated() {
    for (body, elements) in [("", 0), ("\u{feff}", 0), ("[", 0), (r#"[{"a":1}"#, 0), (r#"[{"a":1},"#, 1), (r#"["\"#, 0)]
    {
        let error = SplitError::Truncated { elements, bytes: body.len() as u64 };
        assert!(error.is_retryable());
        assert_eq!(split(body).1, Err(error), "{body:?}");
    }
}

#[test]
fn a_body_that_is_no_array_is_told_by_its_first_character() {
    for (body, found) in [(r#"{"error":{}}"#, '{'), ("<html>", '<'), ("null", 'n'), ("\u{e9}", '\u{fffd}')] {
        assert_eq!(split(body), (vec![], Err(SplitError::NotAnArray { found })), "{body:?}");
    }
}

#[test]
fn what_follows_the_array_is_told_after_all_elements() {
    let (seen, result) = split("[1,2] ]");
    assert_eq!(seen, ["1", "2"]);
    let error = SplitError::Rubbish { offset: 6 };
    assert!(!error.is_retryable());
    assert_eq!(result, Err(error));
}

#[test]
fn a_record_that_is_too_large_is_told_and_the_next_is_good() {
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(HEAD_BYTES * 3));
    let body = format!("[1,{large},2]");
    for size in [1, 7, HEAD_BYTES, body.len()] {
        let chunks: Vec<_> = body.as_bytes().chunks(size).collect();
        let (seen, result) = split_by(Splitter::with_limit(HEAD_BYTES * 2), &chunks);
        let expected =
            [Seen::Whole("1".into()), Seen::TooLarge(HEAD_BYTES, large.len() as u64), Seen::Whole("2".into())];
        assert_eq!(seen, expected, "chunks of {size}");
        assert_eq!(result, Ok(()));
    }
}

#[test]
fn a_large_record_leaves_no_room_behind() {
    let mut splitter = Splitter::new();
    let push = |splitter: &mut Splitter, text: &str| splitter.push(text.as_bytes(), |_| {}).unwrap();
    push(&mut splitter, &format!("[\"{}", "x".repeat(1 << 20)));
    assert_eq!(splitter.held(), (1 << 20) + 1);
    push(&mut splitter, "\", 2");
    assert_eq!(splitter.held(), 1);
    assert!(splitter.kept.capacity() <= KEPT_ROOM);
}

proptest! {
    #[test]
    fn any_chunks_give_what_a_parser_gives(
        elements in prop::collection::vec(json(), 0..6),
        pretty in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let array = Value::from(elements);
        let body = if pretty { serde_json::to_string_pretty(&array) } else { serde_json::to_string(&array) }.unwrap();
        let expected: Vec<&RawValue> = serde_json::from_str(&body).unwrap();
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let chunks: Vec<_> = places.windows(2).map(|pair| &body.as_bytes()[pair[0]..pair[1]]).collect();
        let mut splitter = Splitter::new();
        let mut seen = Vec::new();
        for chunk in chunks {
            splitter.push(chunk, |element| match element {
                Element::Record { bytes, .. } | Element::Other(bytes) => seen.push(bytes.to_vec()),
                Element::TooLarge { .. } => panic!("nothing here is large"),
            }).unwrap();
        }
        prop_assert_eq!(splitter.finish(), Ok(()));
        let expected: Vec<_> = expected.iter().map(|raw| raw.get().as_bytes().to_vec()).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn objects_are_told_apart_with_commas_and_without(
        objects in prop::collection::vec(prop::collection::btree_map("[a-c\"\\\\{}\\[\\],]{0,3}", json(), 0..3), 1..6),
        betweens in prop::collection::vec(prop::sample::select(vec!["", " ", "\r\n", ",", " , "]), 6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let expected: Vec<String> = objects.iter().map(|object| serde_json::to_string(object).unwrap()).collect();
        let mut body = String::from("[");
        for (at, (object, between)) in expected.iter().zip(betweens).enumerate() {
            body += if at > 0 { between } else { "" };
            body += object;
        }
        body.push(']');
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let chunks: Vec<_> = places.windows(2).map(|pair| &body.as_bytes()[pair[0]..pair[1]]).collect();
        let (seen, result) = split_by(Splitter::new(), &chunks);
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(seen, expected.into_iter().map(Seen::Whole).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_it_panic(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6)) {
        let mut splitter = Splitter::with_limit(8);
        let all_pushed = chunks.iter().all(|chunk| splitter.push(chunk, |_| {}).is_ok());
        let bytes: usize = chunks.iter().map(Vec::len).sum();
        if all_pushed && bytes == 0 {
            prop_assert!(splitter.finish().is_err());
        }
    }

    /// Cut into single bytes no record is whole in a chunk, so that brackets and quotes alone find its end.
    #[test]
    fn an_outline_ends_a_record_where_its_brackets_do(
        body in mutated(prop::collection::vec(json(), 0..6).prop_map(Value::from)),
        without_commas in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        limit in prop_oneof![Just(MAX_RECORD_BYTES), 10_usize..200],
    ) {
        let mut body = body;
        if without_commas && let Ok(text) = std::str::from_utf8(&body) {
            body = text.replace("},{", "} {").into_bytes();
        }
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let chunks: Vec<_> = places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        let bytes: Vec<_> = body.chunks(1).collect();
        prop_assert_eq!(kinds(limit, &chunks), kinds(limit, &bytes));
    }
}
