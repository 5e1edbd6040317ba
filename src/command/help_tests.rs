//! Every subcommand has examples in its help, and each of them is one that the command line takes.

use clap::CommandFactory as _;

use super::*;

/// The subcommands below `command`, each with the words that call it.
fn all(command: &clap::Command, words: &[String]) -> Vec<(Vec<String>, clap::Command)> {
    let mut found = vec![(words.to_vec(), command.clone())];
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let words = [words, &[below.get_name().to_owned()]].concat();
        found.extend(all(below, &words));
    }
    found
}

/// The examples in a help: what stands below `Examples`, up to an empty line, without the comments and the commands of
/// others.
fn examples(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Examples")).skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.contains("labelstream ") && !line.trim_start().starts_with('#'))
        .collect()
}

/// The arguments of an example: without settings before it, without the pipe and the explanation behind it.
fn arguments(example: &str) -> Vec<String> {
    let call = &example[example.find("labelstream ").unwrap()..];
    let end = [")", " | ", " > ", " >> "].iter().filter_map(|end| call.find(end)).min().unwrap_or(call.len());
    call[..end].split_whitespace().map(str::to_owned).collect()
}

#[test]
fn every_subcommand_teaches_by_examples_that_parse() {
    let mut tree = Arguments::command();
    tree.build();
    let mut seen = 0;
    for (words, mut command) in all(&tree, &[]) {
        let help = command.render_long_help().to_string();
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{words:?} has no examples:\n{help}");
        for example in examples {
            let arguments = arguments(example);
            let parsed = Arguments::try_parse_from(&arguments);
            assert!(
                parsed.is_ok(),
                "{words:?}: {example}: {}",
                parsed.err().map(|error| error.to_string()).unwrap_or_default()
            );
            // Their way goes over other subcommands.
            let is_step = words.last().is_some_and(|word| ["disconnect", "remove"].contains(&word.as_str()));
            let is_own = arguments[1..].starts_with(&words) || is_step;
            assert!(is_own, "{words:?} shows {example}");
            seen += 1;
        }
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn help_fits_a_terminal_of_eighty_columns() {
    let mut tree = Arguments::command();
    tree.build();
    for (words, command) in all(&tree, &[]) {
        let help = command.clone().term_width(80).render_long_help().to_string();
        let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{words:?}: {wide:?}");
        // A command that is there to be copied is not broken.
        let whole = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let broken: Vec<_> = whole.lines().filter(|line| line.starts_with("  ") && line.chars().count() > 80).collect();
        assert!(broken.is_empty(), "{words:?}: {broken:?}");
    }
}
