//! Words laid out in lines.

use console::Term;

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 96;
/// Off a terminal.
const USUAL: usize = 80;

/// How wide text for a person is.
pub(super) fn width() -> usize {
    columns(&Term::stdout()).unwrap_or(USUAL).clamp(40, WIDEST)
}

/// How wide a terminal is; nothing where it is none.
pub(super) fn columns(terminal: &Term) -> Option<usize> {
    terminal.is_term().then(|| usize::from(terminal.size().1))
}

/// Breaks at blanks; a word that is longer than a line stays whole, so that it can be copied.
pub(super) fn wrapped(words: &str, width: usize, first: &str, rest: &str) -> String {
    let mut text = String::from(first);
    let mut column = first.chars().count();
    let indent = rest.chars().count();
    let mut at_start = true;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if !at_start && column + 1 + length > width {
            text.push('\n');
            text.push_str(rest);
            column = indent;
            at_start = true;
        }
        if !at_start {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        at_start = false;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_at_blanks_and_long_words_stay_whole() {
        assert_eq!(wrapped("aa bb  cc", 7, "- ", "  "), "- aa bb\n  cc\n");
        assert_eq!(wrapped("a https://example.com/long b", 10, "", ""), "a\nhttps://example.com/long\nb\n");
    }
}
