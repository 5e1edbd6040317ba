//! Asking before something is lost.

use std::io::Write as _;

use super::say;

/// Asks on the terminal; everything but a clear yes is a no, also where the answer cannot be read.
pub fn is_agreed(question: &str) -> bool {
    ask(question).unwrap_or_else(|error| {
        say(&format!("failed: the answer cannot be read: {error}"));
        false
    })
}

fn ask(question: &str) -> std::io::Result<bool> {
    std::io::stderr().write_all(format!("{question} [y/N] ").as_bytes())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
