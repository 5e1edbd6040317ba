//! The documentation says what is: what it lists is compared with the code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

use std::{fmt::Write as _, fs, path::Path};

use labelstream::{
    doctor::Check,
    settings::{Need, SETTINGS, SetBy, Unset},
};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The table of docs/settings.md, as the code has it.
fn settings_table() -> String {
    let mut table = String::from("| name | meaning | default | example |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let unset = match setting.unset {
            Unset::Required(Need::Always) => "required".to_owned(),
            Unset::Required(Need::Ingestion) => "required where rows are sent".to_owned(),
            Unset::Required(Need::Storage) => "required where the state lies in storage".to_owned(),
            Unset::Required(Need::Together) => "required with its neighbours".to_owned(),
            Unset::Value(value) => format!("`{value}`"),
            Unset::Means(words) => words.to_owned(),
        };
        let by = if setting.set_by == SetBy::Platform { " (set by the platform)" } else { "" };
        writeln!(table, "| `{}` | {}{by} | {unset} | `{}` |", setting.name, setting.meaning, setting.example).unwrap();
    }
    table
}

#[test]
fn the_settings_page_lists_what_is_read() {
    let page = read("docs/settings.md");
    let table = settings_table();
    let shown = page.find("| name |").and_then(|start| page[start..].split_once("\n\nNotes:"));
    assert_eq!(shown.map(|(shown, _)| format!("{shown}\n")), Some(table), "the table of docs/settings.md, and no more");
}

#[test]
fn the_operators_page_lists_what_doctor_looks_at() {
    let mut table = String::from("| check | what it looks at | what mends it |\n|---|---|---|\n");
    for check in Check::ALL {
        writeln!(table, "| `{}` | {} | {} |", check.id(), check.what(), check.mended_by()).unwrap();
    }
    assert!(read("docs/operate.md").contains(&table), "docs/operate.md should have this table:\n{table}");
}

#[test]
fn the_readme_opens_with_the_two_commands() {
    let readme = read("README.md");
    let commands: Vec<_> = readme
        .lines()
        .skip_while(|line| !line.starts_with("```"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .collect();
    assert!(commands[0].starts_with("cargo run --release --example demo"), "{commands:?}");
    assert!(commands[1].starts_with("./scripts/test"), "{commands:?}");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/test").is_file());
}

/// Files that the pages name in backquotes or links must be there.
#[test]
fn pages_name_files_that_exist() {
    let pages = [
        "settings",
        "guarantees",
        "deploy",
        "providers",
        "operate",
        "doctor",
        "migrate",
        "health",
        "host-contract",
        "sentinel",
        "report",
        "performance",
    ];
    let pages = pages.map(|page| format!("docs/{page}.md"));
    for page in ["README.md", "ARCHITECTURE.md"].into_iter().chain(pages.iter().map(String::as_str)) {
        let text = read(page);
        let named = text
            .split('`')
            .skip(1)
            .step_by(2)
            .chain(text.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
        for name in named {
            let is_path = name.ends_with(".rs") || name.ends_with(".md") || name.ends_with(".json");
            if !is_path
                || name.starts_with("https://")
                || name.contains(['{', ' ', '*'])
                || ["watermark.json", "runs.json", "labels.json", "function.json", "fleet.json", "tenants.json"]
                    .contains(&name)
                || name == "local.settings.json"
            {
                continue;
            }
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let found = [root.join(name), root.join("src").join(name), root.join(page).parent().unwrap().join(name)];
            assert!(found.iter().any(|path| path.exists()), "{page} names {name}, which is not there");
        }
    }
}

/// Each promise names the test that shows it, as `file::name`.
#[test]
fn the_tests_that_show_the_guarantees_exist() {
    let page = read("docs/guarantees.md");
    let named: Vec<_> = page.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(".rs::")).collect();
    assert!(named.len() >= 10, "{named:?}");
    for (file, test) in named {
        let text = read(&format!("{file}.rs"));
        assert!(text.contains(&format!("fn {test}(")), "{file}.rs has no test {test}");
    }
}

/// What is said of an error is said by its words.
#[test]
fn errors_that_the_operators_page_explains_are_those_of_the_code() {
    let page = read("docs/operate.md");
    let (_, section) = page.split_once("\n## What errors mean\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let named: Vec<_> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() >= 20, "{named:?}");
    let mut code = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    for words in named {
        assert!(code.contains(words), "no error has the words {words:?}");
    }
}

/// Adds all source files, with the lines of a string put together.
fn sources(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).unwrap();
            let mut lines = text.split("\\\n");
            code.extend(lines.next());
            code.extend(lines.map(str::trim_start));
        }
    }
}

/// Columns of the queries that the pages show are columns of the tables, or are made in the query.
#[test]
fn queries_of_the_pages_name_columns_that_there_are() {
    let columns: Vec<String> = ["infra/columns.json", "infra/runs-columns.json"]
        .iter()
        .flat_map(|file| serde_json::from_str::<Vec<serde_json::Value>>(&read(file)).unwrap())
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect();
    let tables = [
        "MicrosoftPurviewInformationProtection_CL",
        "MicrosoftPurviewInformationProtection",
        "LabelstreamRuns_CL",
        "InformationProtectionLogs_CL",
    ];
    let mut queries = 0;
    for page in ["deploy", "health", "migrate", "operate", "providers"] {
        let text = read(&format!("docs/{page}.md"));
        for query in text.split("```kusto\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            queries += 1;
            if !query.contains("_CL") {
                continue;
            }
            let bare = query.split('"').step_by(2).collect::<Vec<_>>().join("''");
            let is_made =
                |word: &str| bare.contains(&format!("{word} = ")) || bare.contains(&format!("withsource = {word}\n"));
            for word in bare.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                let is_name = word.starts_with(|first: char| first.is_ascii_uppercase());
                let is_known = columns.iter().any(|column| column == word) || tables.contains(&word);
                assert!(!is_name || is_known || word == "Id" || is_made(word), "docs/{page}.md: {word} is no column");
            }
        }
    }
    assert!(queries >= 5, "{queries}");
}
