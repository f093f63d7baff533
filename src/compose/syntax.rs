//! YAML that the parser refuses: where it went wrong, and what to do about it.

/// What to do about a text that the parser refuses, by what it says.
pub(super) fn remedy(info: &str) -> Option<&'static str> {
    // The first that fits counts: what is told more exactly stands first.
    const REMEDIES: [(&str, &str); 29] = [
        ("indentation indicator equal to 0", "leave the digit out: the first line of the text says how far it is indented"),
        ("wrongly indented line in block scalar", "begin each line of the text as far right as its first"),
        ("unprintable character", "take the character out, or write it as \\xNN in double quotes"),
        ("tab", "indent with blanks; YAML takes no tabs for that"),
        ("simple key expect", "write a colon and a blank between a key and its value"),
        ("did not find expected key", "begin the line in the column of the keys beside it"),
        ("mapping values are not allowed", "put a value with \": \" in it in quotes, and begin each key on a line of its own"),
        ("mapping keys are not allowed", "put a value that begins with ? in quotes"),
        ("did not find expected '-' indicator", "begin the line in the column of the dashes beside it"),
        ("cannot start with '-'", "put the value in quotes, or a blank behind the dash"),
        ("block sequence entries are not allowed", "begin the list on a line of its own, under its key"),
        ("expected ',' or", "put a comma between two values, and close every bracket"),
        ("misplaced bracket", "take the bracket out, or put the value in quotes"),
        ("must be followed by a valid YAML whitespace", "write a blank behind it, or put the value in quotes"),
        ("illegal placement of ':'", "put a value with \": \" in it in quotes"),
        ("while parsing a node, did not find expected node content", "put a value that begins with this character in quotes"),
        ("unexpected character", "put a value that begins with this character in quotes"),
        ("trailing content after", "put the whole value in quotes, and nothing behind the last one"),
        ("unknown anchor", "name an anchor that stands above it, or put a value that begins with * in quotes"),
        ("anchor or alias, did not find", "put a value that begins with & or * in quotes"),
        ("unexpected end of stream", "close the quote"),
        ("unexpected document indicator", "close the quote before the line with --- or ..."),
        ("unexpected end of", "close what is open"),
        ("unknown escape", "double the backslash, or use single quotes"),
        ("hexadecimal number", "write all digits of \\xNN, \\uNNNN or \\UNNNNNNNN, or double the backslash"),
        ("comment intercepting", "take the comment out, or put the text in quotes"),
        ("did not find expected comment or line break", "begin the text on the line below"),
        ("while parsing a tag", "put a value that begins with ! in quotes"),
        ("indentation", "begin the line further right than the key it belongs to"),
    ];
    REMEDIES.into_iter().find(|(said, _)| info.contains(said)).map(|(_, remedy)| remedy)
}

/// The last line of a text that says anything: its number from 1, how far it is indented, and what it says.
pub(super) fn last_line(text: &str) -> Option<(usize, usize, &str)> {
    // A carriage return alone is a line break too.
    let lines = text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).enumerate();
    let says = |(_, line): &(usize, &str)| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let (index, line) = lines.filter(says).last()?;
    let said = line.trim();
    Some((index + 1, line.chars().take_while(|c| c.is_whitespace()).count(), said))
}

#[cfg(test)]
mod tests {
    use super::{last_line, remedy};

    #[test]
    fn what_the_parser_says_has_a_remedy() {
        let said = "while parsing a block mapping, did not find expected key";
        assert_eq!(remedy(said), Some("begin the line in the column of the keys beside it"));
        assert_eq!(remedy("while scanning a plain scalar, found a tab"), Some("indent with blanks; YAML takes no tabs for that"));
        assert_eq!(remedy("something else"), None);
    }

    #[test]
    fn the_last_line_that_says_anything_is_found() {
        assert_eq!(last_line("a: 1\r\n  image x \n\n # nothing\n"), Some((2, 2, "image x")));
        assert_eq!(last_line("a: 1\n\rR"), Some((3, 0, "R")));
        assert_eq!(last_line("\n#\n"), None);
    }
}
