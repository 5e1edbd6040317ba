//! Maps in each form that people have them in.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const LOW: &str = "11111111-1111-4111-8111-111111111111";
const TOP: &str = "22222222-2222-4222-8222-222222222222";
const SUB: &str = "33333333-3333-4333-8333-333333333333";

/// Ids, full names and priorities.
fn told(bytes: &[u8]) -> Vec<(String, String, Option<i64>)> {
    let listed = parse(bytes).unwrap();
    listed.labels.iter().map(|label| (label.id.clone(), label.full_name().into_owned(), label.priority)).collect()
}

fn expected(priorities: bool) -> Vec<(String, String, Option<i64>)> {
    let priority = |priority| priorities.then_some(priority);
    [(LOW, "Public", 0), (TOP, "Confidential", 3), (SUB, "Confidential\\Alle, \"Ä\"", 4)]
        .map(|(id, name, number)| (id.to_owned(), name.to_owned(), priority(number)))
        .into()
}

fn csv(delimiter: &str) -> String {
    let line = |cells: [&str; 4]| cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).join(delimiter);
    [
        line(["ImmutableId", "DisplayName", "Priority", "ParentLabelDisplayName"]),
        line([LOW, "Public", "0", ""]),
        line([&TOP.to_uppercase(), "Confidential", "3", ""]),
        line([SUB, "Alle, \"Ä\"", "4", "Confidential"]),
    ]
    .join("\r\n")
}

fn utf16(text: &str, mark: [u8; 2], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect()
}

#[test]
fn the_csv_of_get_label_is_read_however_it_was_exported() {
    let plain = csv(",");
    let typed = format!("#TYPE Selected.System.Management.Automation.PSCustomObject\r\n{plain}\r\n");
    for text in [plain, typed, csv(";"), csv("\t"), csv(",").replace("\r\n", "\n")] {
        for bytes in [
            text.clone().into_bytes(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            utf16(&text, [0xff, 0xfe], u16::to_le_bytes),
            utf16(&text, [0xfe, 0xff], u16::to_be_bytes),
        ] {
            assert_eq!(told(&bytes), expected(true), "{text}");
        }
    }
}

#[test]
fn an_array_of_labels_is_read_whatever_its_members_are_called() {
    let sub = "Alle, \"Ä\"";
    for array in [
        json!([{"id": LOW, "name": "Public", "priority": 0}, {"id": TOP, "name": "Confidential", "priority": 3},
               {"id": SUB, "name": sub, "parent": "Confidential", "priority": 4}]),
        json!([{"ImmutableId": LOW, "Name": "0b", "DisplayName": "Public", "Priority": "0", "ParentId": null},
               {"ImmutableId": TOP, "Name": "0c", "DisplayName": "Confidential", "Priority": 3},
               {"ImmutableId": SUB, "Name": "0d", "DisplayName": sub, "Priority": 4, "ParentLabelDisplayName": "Confidential"}]),
        json!([{"GUID": LOW, "NAME": "Public", "PRIORITY": 0}, {"Guid": TOP, "Name": "Confidential", "Priority": 3},
               {"guid": SUB, "displayName": null, "name": sub, "ParentID": TOP.to_uppercase(), "priority": 4}]),
    ] {
        assert_eq!(told(array.to_string().as_bytes()), expected(true), "{array}");
        assert_eq!(told(&utf16(&array.to_string(), [0xff, 0xfe], u16::to_le_bytes)), expected(true));
    }
}

#[test]
fn an_object_is_ids_and_names_a_label_or_an_answer_of_graph() {
    let object = json!({LOW: "Public", TOP: "Confidential", SUB: "Confidential\\Alle, \"Ä\""});
    assert_eq!(told(object.to_string().as_bytes()), expected(false));
    let object = json!({LOW: {"name": "Public", "priority": 0}, TOP: {"name": "Confidential", "priority": 3},
        SUB: {"name": "Alle, \"Ä\"", "parent": TOP, "priority": 4}});
    assert_eq!(told(object.to_string().as_bytes()), expected(true));
    let one = json!({"ImmutableId": LOW, "DisplayName": "Public", "Priority": 0});
    assert_eq!(told(one.to_string().as_bytes()), expected(true)[..1]);
    let graph = json!({"value": [{"id": LOW, "name": "Public", "priority": 0},
        {"id": TOP, "name": "Confidential", "priority": 3, "sublabels": [{"id": SUB, "name": "Alle, \"Ä\"", "priority": 4}]}]});
    assert_eq!(told(graph.to_string().as_bytes()), expected(true));
}

#[test]
fn what_has_no_id_or_no_name_is_skipped_and_counted() {
    let array = json!([{"id": LOW, "name": "Public"}, {"id": TOP}, {"name": "N"}, 7, {"id": "", "name": "N"}]);
    assert_eq!(parse(array.to_string().as_bytes()).unwrap().skipped, 4);
    let object = json!({LOW: "Public", "{}": "No id within the braces", TOP: " \\ "});
    assert_eq!(
        (told(object.to_string().as_bytes()).len(), parse(object.to_string().as_bytes()).unwrap().skipped),
        (1, 2)
    );
    let table = format!("ImmutableId,DisplayName\n{LOW},Public\n,Nameless\n{TOP},\nshort\n");
    let listed = parse(table.as_bytes()).unwrap();
    assert_eq!((listed.labels.len(), listed.skipped), (1, 3));
}

#[test]
fn what_cannot_be_used_says_why() {
    for (bytes, words) in [
        (&b""[..], "no column for the id"),
        (b"[{]", "no JSON"),
        (b"{\"value\": 7}", "nothing in it"),
        (b"[]", "nothing in it has an id and a name (0 entries)"),
        (b"[{\"id\":\"a\"}]", "(1 entries)"),
        (b"a,b\n1,2", "no column for the id"),
        (b"Guid,Priority\n1,2", "no column for the name"),
        (b"\xff\xfea", "UTF-16"),
        (b"ImmutableId,DisplayName\nx,\xe4", "UTF-8"),
    ] {
        let error = parse(bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(parse(&vec![b' '; LARGEST_MAP + 1]), Err(MapError::TooLarge));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        prop_assert!(parse(&bytes).is_err() || !bytes.is_empty());
    }

    #[test]
    fn whatever_the_names_a_table_and_json_say_the_same(
        names in proptest::collection::vec("[ -~\u{e4}\u{4e2d}]{0,12}", 1..8),
    ) {
        let labels: Vec<_> = names.iter().enumerate().map(|(at, name)| (format!("id-{at}"), format!("n{}", name.trim()))).collect();
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let table: String = labels.iter().map(|(id, name)| format!("{},{}\n", quoted(id), quoted(name))).collect();
        let array: Vec<_> = labels.iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
        let of_table = parse(format!("Guid,Name\n{table}").as_bytes()).unwrap();
        prop_assert_eq!(&of_table, &parse(json!(array).to_string().as_bytes()).unwrap());
        prop_assert_eq!(of_table.labels.len(), labels.len());
    }
}
