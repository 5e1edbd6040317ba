//! A page of the labels as Microsoft Graph lists them: a pure reading of its bytes.

use serde_json::Value;

use super::parents::{Entry, with_parents};
use crate::labels::Label;

/// The labels of a source, and what of it could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Each label once.
    pub labels: Vec<Label>,
    /// Entries that have no id or no name.
    pub skipped: usize,
}

/// Pages of one list, put together.
#[derive(Debug, Default)]
pub(super) struct Pages {
    entries: Vec<Entry>,
    skipped: usize,
}

impl Pages {
    /// Takes a page; the address of the next one, where it names one.
    ///
    /// # Errors
    /// What it is in place of a list. Nothing of it is taken then.
    pub fn take(&mut self, body: &[u8]) -> Result<Option<String>, String> {
        let mut page: Value = serde_json::from_slice(body).map_err(|error| format!("it is no JSON ({error})"))?;
        let Some(Value::Array(listed)) = page.get_mut("value").map(Value::take) else {
            return Err("it has no array `value`".to_owned());
        };
        for entry in &listed {
            self.entry(entry, None);
        }
        Ok(text(&page["@odata.nextLink"]))
    }

    /// The labels of all pages. A parent may be on another page than its sublabel.
    pub fn into_listed(self) -> Listed {
        Listed { labels: with_parents(self.entries), skipped: self.skipped }
    }

    /// Takes an entry and those within it. JSON nests 128 deep at most, and so does this.
    fn entry(&mut self, listed: &Value, within: Option<&str>) {
        // `displayName` is null as a rule, and `name` is what people see (management-api.md, section 7).
        let name = text(&listed["name"]).or_else(|| text(&listed["displayName"]));
        let parents = within.map(str::to_owned).into_iter().chain(parents(listed)).collect();
        let entry = Entry::new(text(&listed["id"]), name, whole(&listed["priority"]), parents);
        let id = entry.as_ref().map(|entry| entry.id.clone());
        self.skipped += usize::from(entry.is_none());
        self.entries.extend(entry);
        for sublabel in listed["sublabels"].as_array().into_iter().flatten() {
            self.entry(sublabel, id.as_deref().or(within));
        }
    }
}

/// What an entry itself says of its parent: v1.0 in its settings, beta as an object.
fn parents(listed: &Value) -> impl Iterator<Item = String> {
    let settings = listed["customSettings"].as_array().into_iter().flatten();
    let is_parent = |setting: &&Value| text(&setting["name"]).is_some_and(|name| name.eq_ignore_ascii_case("parentid"));
    let of_settings = settings.filter(is_parent).filter_map(|setting| text(&setting["value"]));
    let beta = &listed["parent"];
    of_settings.chain([text(&beta["id"]), text(&beta["name"])].into_iter().flatten())
}

/// A text that says something.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number, also as a text or with a fraction of nothing.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            // Exact below 2^53; beyond it nothing is a priority.
            number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15).map(|number| number as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::labels::parents::DEEPEST;

    fn listed(pages: &[Value]) -> Listed {
        let mut all = Pages::default();
        for page in pages {
            all.take(page.to_string().as_bytes()).unwrap();
        }
        all.into_listed()
    }

    fn told(listed: &Listed) -> Vec<(&str, String, Option<i64>)> {
        listed.labels.iter().map(|label| (&*label.id, label.full_name().into_owned(), label.priority)).collect()
    }

    #[test]
    fn sublabels_are_flattened_and_named_after_their_parents() {
        let page = json!({"value": [
            {"id": "A", "name": "Confidential", "displayName": null, "priority": 3, "sublabels": [
                {"id": "b", "name": "All Employees", "priority": 4, "sublabels": []},
                {"id": "c", "name": "", "displayName": "Finance", "priority": "5", "sublabels": [
                    {"id": "d", "name": "Payroll", "priority": 6.0}]}]},
            {"id": "e", "name": " Public ", "priority": 0.5, "sublabels": null}]});
        let listed = listed(&[page]);
        let expected = [
            ("a", "Confidential", Some(3)),
            ("b", "Confidential\\All Employees", Some(4)),
            ("c", "Confidential\\Finance", Some(5)),
            ("d", "Confidential\\Finance\\Payroll", Some(6)),
            ("e", "Public", None),
        ];
        assert_eq!(told(&listed), expected.map(|(id, name, priority)| (id, name.to_owned(), priority)));
        assert_eq!(listed.skipped, 0);
    }

    #[test]
    fn a_parent_is_told_in_settings_or_as_an_object_and_may_be_on_another_page() {
        let listed = listed(&[
            json!({"value": [
                {"id": "b", "name": "B", "customSettings": [{"name": "x", "value": "y"}, {"name": "ParentId", "value": "A"}]},
                {"id": "c", "name": "C", "parent": {"id": "a", "name": "Old name"}},
                {"id": "d", "name": "D", "parent": {"name": "Beta"}}]}),
            json!({"value": [{"id": "a", "name": "A"}]}),
        ]);
        let names: Vec<_> = told(&listed).into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["A", "A\\B", "A\\C", "Beta\\D"]);
    }

    #[test]
    fn what_has_no_id_or_no_name_is_counted_and_what_is_below_it_stays() {
        let listed = listed(&[json!({"value": [
            7, null, [], {"id": "a"}, {"name": "no id"}, {"id": 1, "name": "N"},
            {"id": "p", "sublabels": [{"id": "c", "name": "Child"}]}]})]);
        assert_eq!((told(&listed), listed.skipped), (vec![("c", "Child".to_owned(), None)], 7));
    }

    #[test]
    fn what_is_no_list_is_told() {
        for (body, words) in [
            ("<html>", "no JSON"),
            ("", "no JSON"),
            ("{}", "no array"),
            ("[]", "no array"),
            (r#"{"value":{}}"#, "no array"),
            (&"[".repeat(100_000), "no JSON"),
        ] {
            let error = Pages::default().take(body.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in any::<Vec<u8>>()) {
            // A fuzzer by chance: what matters is that it returns.
            let read = Pages::default().take(&body);
            prop_assert!(read.is_err() || body.contains(&b'v'));
        }

        #[test]
        fn each_label_of_any_tree_is_listed_once_below_its_parent(shape in proptest::collection::vec(0_usize..6, 1..40)) {
            // Each label is below the one that its number chooses among those before it; the first ones are tops.
            let mut nodes: Vec<(Option<usize>, Value)> = Vec::new();
            for (at, choice) in shape.iter().enumerate() {
                let parent = choice.checked_sub(1).and_then(|choice| at.checked_sub(choice + 1));
                nodes.push((parent, json!({"id": format!("id-{at}"), "name": format!("n{at}"), "sublabels": []})));
            }
            let parents: Vec<_> = nodes.iter().map(|(parent, _)| *parent).collect();
            let mut tops = Vec::new();
            while let Some((parent, node)) = nodes.pop() {
                match parent {
                    Some(parent) => nodes[parent].1["sublabels"].as_array_mut().unwrap().push(node),
                    None => tops.push(node),
                }
            }
            let listed = listed(&[json!({"value": tops})]);
            prop_assert_eq!(listed.labels.len(), parents.len());
            for label in &listed.labels {
                let at: usize = label.name[1..].parse().unwrap();
                let mut path = vec![label.name.clone()];
                let mut above = parents[at];
                while let Some(parent) = above {
                    path.push(format!("n{parent}"));
                    above = parents[parent];
                }
                path.truncate(1 + DEEPEST);
                path.reverse();
                prop_assert_eq!(label.full_name(), path.join("\\"));
            }
        }
    }
}
