//! docs/deploy.md: what it names is there.

use std::{collections::BTreeSet, path::Path, process::Command};

use crate::{
    access::{ROLE_OF_A_FLEET, ROLES},
    snapshot::{template, text},
};

fn page() -> String {
    text("docs/deploy.md")
}

/// What stands in backquotes and in blocks of commands.
fn code(page: &str) -> Vec<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_file_it_names_is_there() {
    let page = page();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeSet::new();
    for word in code(&page).iter().flat_map(|code| code.split_whitespace()) {
        let word = word.trim_start_matches("./");
        if ["infra/", "scripts/", "tests/", "TimerPull"].iter().any(|start| word.starts_with(start))
            || ["azuredeploy.json", "host.json", ".funcignore"].contains(&word)
        {
            assert!(root.join(word).exists(), "{word}");
            named.insert(word);
        }
    }
    assert!(named.len() >= 12, "{named:?}");
}

#[test]
fn every_parameter_and_output_it_names_is_there() {
    let (page, template) = (page(), template());
    let known = |kind: &str| template[kind].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let (parameters, outputs) = (known("parameters"), known("outputs"));
    let words: BTreeSet<_> = code(&page).iter().filter_map(|code| code.split(' ').next()).collect();
    let is_camel = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.contains(|c: char| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let named: Vec<_> = words.iter().filter(|word| is_camel(word)).collect();
    assert!(named.len() >= 6, "{named:?}");
    for word in named {
        assert!(parameters.contains(*word), "{word} is no parameter of main.bicep");
    }
    for output in ["IDENTITY_PRINCIPAL_ID", "FUNCTION_APP_NAME", "OUTBOUND_ADDRESS"] {
        assert!(words.contains(output) && outputs.contains(output), "{output}");
    }
}

#[test]
fn its_roles_are_those_of_the_templates() {
    let page = page();
    let rows: Vec<_> = page
        .lines()
        .skip_while(|line| *line != "| role | on | why |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split(" | ").next().unwrap().trim_start_matches("| "))
        .collect();
    // The built-in roles by their ids, from "Azure built-in roles".
    let name = |id: &str| match id {
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b" => "Storage Blob Data Owner",
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3" => "Storage Table Data Contributor",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88" => "Storage Queue Data Contributor",
        "3913510d-42f4-4e42-8a64-420c390055eb" => "Monitoring Metrics Publisher",
        other => panic!("{other} has no name here"),
    };
    let mut wanted: Vec<_> = ROLES.iter().map(|(id, ..)| name(id)).collect();
    wanted.push("Key Vault Secrets User");
    wanted.push(name(ROLE_OF_A_FLEET.0));
    assert_eq!(rows, wanted);
}

#[test]
fn its_commands_take_their_options() {
    let page = page();
    let help = Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/grant-feed-access"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let twin = text("scripts/grant-feed-access.ps1");
    let mut options = 0;
    for line in code(&page).iter().flat_map(|code| code.lines()).filter(|line| line.contains("scripts/grant-")) {
        for option in line.split(' ').filter(|word| word.starts_with('-')) {
            options += 1;
            let found = if option.starts_with("--") {
                help.contains(option)
            } else {
                option == "-WhatIf" && twin.contains("SupportsShouldProcess")
                    || twin.contains(&format!("${} ", option.trim_start_matches('-')))
                    || twin.contains(&format!("${},", option.trim_start_matches('-')))
            };
            assert!(found, "{option} of {line}");
        }
    }
    assert_eq!(options, 8);
    let parameters = text("infra/main.bicepparam");
    for line in code(&page).iter().flat_map(|code| code.lines()).filter(|line| line.starts_with("azd env set ")) {
        let name = line.split(' ').nth(3).unwrap();
        let own = ["AZURE_RESOURCE_GROUP"].contains(&name);
        assert!(own || parameters.contains(&format!("'{name}'")), "{name} is read by nobody");
    }
}
