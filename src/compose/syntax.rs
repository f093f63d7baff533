//! What to do about YAML that the parser refuses.

/// What to do about a text that the parser refuses, by what it says.
pub(super) fn remedy(info: &str) -> Option<&'static str> {
    const REMEDIES: [(&str, &str); 12] = [
        ("tab", "indent with blanks; YAML takes no tabs for that"),
        ("did not find expected key", "begin the line in the column of the keys beside it"),
        ("mapping values are not allowed", "put a value with \": \" in it in quotes, and begin each key on a line of its own"),
        ("did not find expected '-' indicator", "begin the line in the column of the dashes beside it"),
        ("block sequence entries are not allowed", "begin the list on a line of its own, under its key"),
        ("expected ',' or", "put a comma between two values, and close every bracket"),
        ("while parsing a node, did not find expected node content", "put a value that begins with this character in quotes"),
        ("unknown anchor", "name an anchor that stands above it, or put a value that begins with * in quotes"),
        ("unexpected end of stream", "close the quote"),
        ("unexpected end of", "close what is open"),
        ("unknown escape", "double the backslash, or use single quotes"),
        ("indentation", "begin the line further right than the key it belongs to"),
    ];
    REMEDIES.into_iter().find(|(said, _)| info.contains(said)).map(|(_, remedy)| remedy)
}

#[cfg(test)]
mod tests {
    use super::remedy;

    #[test]
    fn what_the_parser_says_has_a_remedy() {
        let said = "while parsing a block mapping, did not find expected key";
        assert_eq!(remedy(said), Some("begin the line in the column of the keys beside it"));
        assert_eq!(remedy("while scanning a plain scalar, found a tab"), Some("indent with blanks; YAML takes no tabs for that"));
        assert_eq!(remedy("something else"), None);
    }
}
