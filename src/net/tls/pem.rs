//! PEM as Kafka's Java client reads it: blanks are as good as line breaks, so that a whole chain may stand on one line, and whatever stands
//! around the blocks is passed over. Other readers want each block's first and last line by itself.
//!
//! Comes in: text of a setting. Goes out: the same blocks in the form that every reader takes. Source: Apache Kafka,
//! DefaultSslEngineFactory, PemParser.

use std::fmt::Write;

const LINE: usize = 64;

/// The blocks of a text, one after the other; the text itself where it has none that can be told apart.
pub fn blocks(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((label, after)) = marker(rest, "BEGIN") {
        let Some(end) = after.find('-') else { break };
        let Some((closed, next)) = marker(&after[end..], "END") else { break };
        if closed != label {
            break;
        }
        let body = &after[..end];
        // Lines such as `Proc-Type: …` would hold a hyphen or a colon: they are not undone here.
        if body.chars().any(|c| !(c.is_ascii_alphanumeric() || c.is_whitespace() || "+/=".contains(c))) {
            break;
        }
        let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        let _ = writeln!(out, "-----BEGIN {label}-----");
        for line in body.as_bytes().chunks(LINE) {
            let _ = writeln!(out, "{}", String::from_utf8_lossy(line));
        }
        let _ = writeln!(out, "-----END {label}-----");
        rest = next;
    }
    if out.is_empty() || rest.contains("-BEGIN") { text.to_owned() } else { out }
}

/// The label of the next `-----BEGIN label-----` or `-----END label-----`, and what comes after it.
fn marker<'a>(text: &'a str, edge: &str) -> Option<(&'a str, &'a str)> {
    let at = text.find(&format!("-{edge}"))? + edge.len() + 1;
    let after = &text[at..];
    let end = after.find('-')?;
    let label = after[..end].trim();
    (!label.is_empty()).then(|| (label, after[end..].trim_start_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::blocks;

    const BODY: &str = "TUlJQmhUQ0NBUw==";

    fn block(label: &str) -> String {
        format!("-----BEGIN {label}-----\n{BODY}\n-----END {label}-----\n")
    }

    #[test]
    fn blanks_are_line_breaks_and_what_stands_around_is_nothing() {
        let two = block("CERTIFICATE") + &block("CERTIFICATE");
        for text in [
            two.clone(),
            two.replace('\n', " "),
            two.replace('\n', "\r\n"),
            two.replace('\n', "\n    "),
            format!("subject=/CN=a\n{}issuer=b\n{}", block("CERTIFICATE"), block("CERTIFICATE").trim_end()),
        ] {
            assert_eq!(blocks(&text), two, "{text:?}");
        }
        assert_eq!(blocks(&block("PRIVATE KEY").replace('\n', " ")), block("PRIVATE KEY"));
    }

    #[test]
    fn what_is_no_pem_stays_as_it_is() {
        let broken = block("CERTIFICATE").replace("END CERTIFICATE", "END KEY");
        let cut = block("CERTIFICATE")[..40].to_owned();
        let odd = block("CERTIFICATE").replace(BODY, "%%%");
        let second = format!("{}-----BEGIN CERTIFICATE-----\nabc", block("CERTIFICATE"));
        for text in ["", "hello", "-----BEGIN -----", &broken, &cut, &odd, &second] {
            assert_eq!(blocks(text), *text);
        }
    }
}
