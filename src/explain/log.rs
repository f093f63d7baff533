//! A log, line by line → the causes found in it.
//!
//! Rules: the log may be of any length and hold anything, credentials among it: of a line only what a person needs to find it again is
//! kept, and what follows a word like `password` is not.

use serde::Serialize;

use super::causes::{Known, known};
use crate::base::Result;

/// A line is looked at up to here; no message of interest is longer.
const MOST_BYTES: usize = 16 << 10;
/// How much of a line is kept.
const SHOWN: usize = 240;

/// A cause that a log shows.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    pub id: &'static str,
    pub title: &'static str,
    pub causes: &'static [String],
    pub apart: &'static str,
    pub fix: &'static [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// It only follows from something else.
    pub follows: bool,
    /// The first line that shows it.
    pub line: u64,
    pub text: String,
    /// How many lines show it.
    pub count: u64,
}

/// Reads a log line by line.
#[derive(Debug)]
pub struct Reader {
    known: &'static [Known],
    found: Vec<Option<Found>>,
    lines: u64,
}

impl Reader {
    pub fn new() -> Result<Self> {
        let known = known()?;
        Ok(Self { known, found: vec![None; known.len()], lines: 0 })
    }

    pub fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let line = String::from_utf8_lossy(&line[..line.len().min(MOST_BYTES)]);
        for (known, found) in self.known.iter().zip(&mut self.found) {
            let Some(place) = known.find(&line) else { continue };
            if let Some(found) = found {
                found.count += 1;
                continue;
            }
            *found = Some(Found {
                id: &known.id,
                title: &known.title,
                causes: &known.causes,
                apart: &known.apart,
                fix: &known.fix,
                code: known.code.as_deref(),
                follows: known.follows,
                line: self.lines,
                text: excerpt(&line, place),
                count: 1,
            });
        }
    }

    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The causes in the order of their first lines; what only follows from others comes last.
    pub fn causes(self) -> Vec<Found> {
        let enough = |(known, found): (&Known, Option<Found>)| found.filter(|found| found.count >= known.at_least);
        let mut found: Vec<Found> = self.known.iter().zip(self.found).filter_map(enough).collect();
        found.sort_by_key(|found| (found.follows, found.line));
        found
    }
}

/// The line from a little before its sign, without control characters and without what may be a credential.
fn excerpt(line: &str, (from, to): (usize, usize)) -> String {
    let before = line[..from].char_indices().rev().nth(60).map_or(0, |(index, _)| index);
    let start = if to - before > SHOWN { from } else { before };
    let part: String = line[start..].chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    let shown = masked(part.trim());
    if start > 0 { format!("…{shown}") } else { shown }
}

/// Words after which a value is not for anybody's eyes.
const HIDING: [&str; 9] =
    ["password", "secret", "jaas.config", "jaas_config", "token", "user.info", "user_info", "credential", "ssl.keystore.key"];

/// The text up to the first value that follows such a word and an equals sign or colon.
fn masked(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut cut = text.len();
    for word in HIDING {
        for (index, _) in lower.match_indices(word) {
            let after = index + word.len();
            let value = text[after..].trim_start_matches(['"', '\'', ' ', '\\']);
            let sign = value.chars().next();
            if sign.is_some_and(|c| c == '=' || c == ':') {
                cut = cut.min(after);
            }
        }
    }
    if cut == text.len() { text.to_owned() } else { format!("{}=…", &text[..cut]) }
}

#[cfg(test)]
mod tests {
    use super::{Found, Reader, masked};

    fn read(log: &str) -> Vec<Found> {
        let mut reader = Reader::new().expect("table");
        log.lines().for_each(|line| reader.line(line.as_bytes()));
        reader.causes()
    }

    fn ids(log: &str) -> Vec<&'static str> {
        read(log).into_iter().map(|found| found.id).collect()
    }

    #[test]
    fn neighbours_are_told_apart() {
        assert_eq!(ids("IO Error trying to forward REST request: java.net.UnknownHostException: ip-10-0-0-1"), ["J14"]);
        assert_eq!(ids("IO Error trying to forward REST request: java.net.ConnectException: Connection refused"), ["J13"]);
        assert_eq!(
            ids("ResourceInitializationError: unable to pull secrets or registry auth: did not contain json key A"),
            ["A4"]
        );
        assert_eq!(ids("SaslAuthenticationException: [uuid]: Access denied"), ["J4"]);
        assert_eq!(ids("Joined group and got assignment: x with rebalance delay: 0 (org.apache)"), [""; 0]);
        assert_eq!(ids("Joined group and got assignment: x with rebalance delay: 60000 (org.apache)"), ["J17"]);
    }

    #[test]
    fn what_only_follows_comes_last_and_lines_are_counted() {
        let found = read("3/3 brokers are down\nSASL authentication error: Authentication failed\nx\n1/1 brokers are down");
        let shown: Vec<_> = found.iter().map(|found| (found.id, found.line, found.count)).collect();
        assert_eq!(shown, [("R11", 2, 1), ("R13", 1, 2)]);
    }

    #[test]
    fn no_credential_comes_out_of_a_log() {
        for line in [
            "Authentication failed, sasl.jaas.config=x required username=\"u\" password=\"hunter2\";",
            "config: {\"database.password\": \"hunter2\"}",
            "CONNECT_SASL_JAAS_CONFIG=org.Plain required password='hunter2'",
        ] {
            assert!(!masked(line).contains("hunter2"), "{}", masked(line));
        }
        assert_eq!(masked("Invalid username or password (state AUTH_REQ)"), "Invalid username or password (state AUTH_REQ)");
    }

    #[test]
    fn any_bytes_are_a_log() {
        let mut reader = Reader::new().expect("table");
        reader.line(&[0xff, 0xfe, b'\x1b', b'[', b'3']);
        reader.line(&vec![b'a'; 1 << 20]);
        let mut long = vec![b' '; 200];
        long.extend("é\x1bFailed to resolve 'kafka.example.com:9092': ü".as_bytes());
        reader.line(&long);
        let found = reader.causes();
        assert!(found.len() == 1 && !found[0].text.contains('\x1b'), "{found:?}");
    }
}
