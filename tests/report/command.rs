//! What the subcommand reads, writes, says and exits with.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::company::{lines, report, reported, rows, said};

fn count(rows: &[Value], column: &str, value: &str) -> usize {
    rows.iter().filter(|row| row[column] == value).count()
}

pub fn rows_of_a_pull() {
    let rows = rows();
    let (_folder, page) = reported(rows);
    let page = page.replace(',', "");
    let fact = |name: &str, value: String| {
        let start = page.find(&format!("<dt>{name}</dt>")).unwrap_or_else(|| panic!("no {name}"));
        let told = &page[start..start + 200];
        assert!(told.contains(&format!("\">{value}</dd>")), "{name} is not {value}: {told}");
    };
    fact("Label events", rows.len().to_string());
    fact("Lowered", count(rows, "LabelChange", "Downgraded").to_string());
    fact("Removed", count(rows, "LabelChange", "Removed").to_string());
    let raised = count(rows, "LabelChange", "Applied") + count(rows, "LabelChange", "Upgraded");
    fact("Applied or raised", raised.to_string());
    let users: BTreeSet<_> = rows.iter().filter_map(|row| row["UserId"].as_str()).map(str::to_lowercase).collect();
    fact("Users", users.len().to_string());
    assert!(users.len() > 10 && raised > 100 && count(rows, "LabelChange", "Downgraded") > 10, "too few to judge by");
    for text in ["Labels of Fabrikam", "Highly Confidential\\Board", "SharePoint", "From and to", "Justifications"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(page.contains(rows[0]["OrganizationId"].as_str().unwrap()));
}

pub fn lines_that_are_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}no row\n\n{{\"a\":1}}\n", lines(&rows()[..3]));
    fs::write(folder.path().join("rows"), text).unwrap();
    let output = report(folder.path(), &["rows", "--html", "out.html"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains("out.html: 3 label events") && told.contains("2 of 5 lines are no rows"), "{told}");
    assert!(told.contains("line 4: ") && told.contains("line 6: it has no CreationTime"), "{told}");
    assert!(fs::read_to_string(folder.path().join("out.html")).unwrap().contains("line 4 ("));
}

pub fn without_a_row() {
    let folder = tempfile::tempdir().unwrap();
    for (text, told) in [("", "no line of 0 is a row"), ("[]\n5\n", "no line of 2 is a row; line 1: ")] {
        fs::write(folder.path().join("rows"), text).unwrap();
        let output = report(folder.path(), &["rows", "--html", "out.html"]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(told) && said(&output).contains("pull --output"), "{}", said(&output));
        assert!(!folder.path().join("out.html").exists());
    }
}

pub fn what_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = lines(&rows()[..2]);
    fs::write(path("rows"), &text).unwrap();
    for times in 1..3 {
        let output = report(folder.path(), &["rows", "--html", "out.html"]);
        assert_eq!(output.status.code(), Some(0), "{times}: {}", said(&output));
    }
    // The two files in the wrong order, or the same one twice, cost no rows.
    fs::write(path("more"), &text).unwrap();
    for html in ["more", "rows"] {
        let output = report(folder.path(), &["rows", "--html", html]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("no report of labelstream: name another file"), "{}", said(&output));
        assert_eq!(fs::read_to_string(path(html)).unwrap(), text);
    }
}

pub fn streams() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_labelstream"))
        .env_clear()
        .args(["report", "-", "--html", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(lines(&rows()[..4]).as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    let page = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(said(&output).contains("standard output: 4 label events"), "{}", said(&output));
}

pub fn what_fails() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rows"), lines(&rows()[..2])).unwrap();
    for (arguments, status, told) in [
        (&["nowhere", "--html", "out.html"][..], 2, "there is no file nowhere"),
        (&[".", "--html", "out.html"][..], 1, "failed: .: "),
        (&["rows", "--html", "no/such/out.html"][..], 1, "failed: --html no/such/out.html: "),
        (&["rows", "--html", "."][..], 1, "failed: --html .: "),
        (&["rows"][..], 2, "--html"),
    ] {
        let output = report(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(told), "{arguments:?}: {}", said(&output));
    }
}
