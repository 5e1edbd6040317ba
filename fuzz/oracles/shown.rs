//! What people read: one line of bounded length.

/// Panics unless `text` is one line of at most `most` characters without control characters.
#[track_caller]
pub fn one_line(text: &str, most: usize) {
    let count = text.chars().count();
    assert!(count <= most, "a text for people has {count} characters: {}", text.chars().take(300).collect::<String>());
    assert!(!text.contains(char::is_control), "a text for people has control characters: {text:?}");
}
