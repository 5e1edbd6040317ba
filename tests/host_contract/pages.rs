//! `docs/host-contract.md` names a test for each rule, and a rule for each test of this suite.

use std::{fs, path::Path};

fn text(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// The rules of the page.
fn rules() -> Vec<String> {
    let page = text("docs/host-contract.md").unwrap();
    page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule")).map(str::to_owned).collect()
}

#[test]
fn each_rule_has_a_test_that_is_there() {
    let rules = rules();
    assert!(rules.len() >= 30, "{} rules", rules.len());
    for rule in rules {
        let named: Vec<_> = rule.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(".rs::")).collect();
        assert!(!named.is_empty(), "no test: {rule}");
        for (file, name) in named {
            // Tests of the library stand beside what they test, and are named by the whole path.
            let path = if file.starts_with("src/") { format!("{file}.rs") } else { format!("tests/{file}.rs") };
            let code = text(&path).unwrap_or_else(|| panic!("no file {path}: {rule}"));
            assert!(code.contains(&format!("fn {name}(")), "{file}.rs has no test {name}: {rule}");
        }
    }
}

/// The tests in Rust `code`.
fn tests(code: &str) -> Vec<&str> {
    let mut lines = code.lines();
    let mut tests = Vec::new();
    while let Some(line) = lines.next() {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            let signature = lines.find(|line| line.contains("fn ")).unwrap();
            tests.push(signature.split("fn ").nth(1).unwrap().split('(').next().unwrap());
        }
    }
    tests
}

#[test]
fn each_test_of_this_suite_shows_a_rule() {
    let page = rules().concat();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host_contract");
    let mut found = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if file == "pages.rs" {
            continue;
        }
        for test in tests(&text(&format!("tests/host_contract/{file}")).unwrap()) {
            assert!(page.contains(&format!("`host_contract/{file}::{test}`")), "no rule has {file}::{test}");
            found += 1;
        }
    }
    assert!(found >= 30, "{found} tests");
}
