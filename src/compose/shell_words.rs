//! A command written as one string, split into words: single and double quotes, `\` escapes, no expansion of any kind.
//! An unquoted `;`, `&`, `|`, `<` or `>` ends the command, as in the reference.

/// The words, or none when a quote or an escape is left open or a parenthesis stands alone.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    // Whether a word has begun, and whether quotes make it one even when it is empty.
    let (mut begun, mut quoted) = (false, false);
    let (mut single, mut double, mut back, mut substitution, mut escaped) = (false, false, false, false, false);
    let mut flush = |word: &mut String, begun: &mut bool, quoted: &mut bool| {
        if *quoted || (*begun && !word.is_empty()) {
            words.push(std::mem::take(word));
        }
        word.clear();
        *begun = false;
        *quoted = false;
    };
    for c in line.chars() {
        let protected = single || double || back || substitution;
        if escaped {
            escaped = false;
            if back || substitution {
                word.push('\\');
                word.push(c);
            } else {
                word.push(match c {
                    't' => '\t',
                    'n' => '\n',
                    other => other,
                });
            }
            (begun, quoted) = (true, false);
            continue;
        }
        match c {
            '\\' if single => word.push('\\'),
            '\\' => escaped = true,
            ' ' | '\t' | '\r' | '\n' => {
                if protected {
                    word.push(c);
                } else {
                    flush(&mut word, &mut begun, &mut quoted);
                }
            }
            '"' if !single && !substitution && !back => {
                quoted |= double;
                double = !double;
            }
            '\'' if !double && !substitution && !back => {
                quoted |= single;
                single = !single;
            }
            ')' if !single && !double && !back => {
                if !substitution {
                    return None;
                }
                substitution = false;
                word.push(')');
                (begun, quoted) = (true, false);
            }
            '(' if !single && !double && !back => {
                if substitution || !word.ends_with('$') || word.ends_with("\\$") {
                    return None;
                }
                substitution = true;
                word.push('(');
            }
            ';' | '&' | '|' | '<' | '>' if !protected => {
                // `2>` belongs to the redirection, not to the word before it.
                if c == '>' && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
                    (begun, quoted) = (false, false);
                }
                break;
            }
            _ => {
                if c == '`' && !single && !double && !substitution {
                    back = !back;
                }
                word.push(c);
                (begun, quoted) = (true, false);
            }
        }
    }
    flush(&mut word, &mut begun, &mut quoted);
    (!escaped && !single && !double && !back && !substitution).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    fn words(line: &str) -> Vec<String> {
        split(line).unwrap()
    }

    #[test]
    fn quotes_and_escapes() {
        assert_eq!(words(r#"sh -c "echo 'hi there'" a\ b '' "" x'y'z"#), ["sh", "-c", "echo 'hi there'", "a b", "", "", "xyz"]);
        assert_eq!(words(""), [""; 0]);
        assert_eq!(words("echo a; rm"), ["echo", "a"]);
        assert_eq!(words("run 2>&1"), ["run"]);
        assert_eq!(words("echo $(date +%s)"), ["echo", "$(date +%s)"]);
        assert_eq!(split("echo 'open"), None);
        assert_eq!(split("echo ("), None);
    }
}
