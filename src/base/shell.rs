//! Commands to be pasted. Comes in: a word. Goes out: what a POSIX shell reads back as that word.

/// Quoted only where it must be.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        for (word, quoted) in [("User:a", "User:a"), ("O'Neil $HOME", r"'O'\''Neil $HOME'"), ("*", "'*'"), ("", "''")] {
            assert_eq!(shell(word), quoted);
        }
    }
}
