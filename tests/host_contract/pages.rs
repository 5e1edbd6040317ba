//! `docs/host-contract.md` names a test for each rule.

use std::{fs, path::Path};

#[test]
fn each_rule_has_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/host-contract.md")).unwrap();
    let rules: Vec<_> = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule")).collect();
    assert!(rules.len() >= 25, "{} rules", rules.len());
    for rule in rules {
        let named: Vec<_> = rule.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(".rs::")).collect();
        assert!(!named.is_empty(), "no test: {rule}");
        for (file, name) in named {
            let text = fs::read_to_string(root.join("tests").join(format!("{file}.rs")))
                .or_else(|_| fs::read_to_string(root.join("src").join(format!("{file}.rs"))))
                .unwrap_or_else(|_| panic!("no file {file}.rs: {rule}"));
            assert!(text.contains(&format!("fn {name}(")), "{file}.rs has no test {name}: {rule}");
        }
    }
}
