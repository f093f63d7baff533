//! How the report comes back: messages as lines of a log, and lines as messages.
//!
//! A log keeps no line longer than some, may hold lines of somebody else, and may end anywhere. So every message is cut into short
//! numbered pieces, each a JSON object of its own with the protocol's number, and the last message says how many checks there were.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Code;
use crate::preflight::report::{Category, Check, Status};

/// Grows when a message changes its meaning. Both ends must have the same one.
pub const PROTOCOL: u32 = 1;
/// What of a message goes into one line, as it is written in JSON: with what stands around it, it is less than the 16 KiB at which log
/// drivers cut a line.
const MOST_PIECE: usize = 14 * 1024;
/// Nobody sends more in one message.
const MOST_MESSAGE: usize = 4 * 1024 * 1024;
/// So many lines may be kept until one that is missing comes.
const MOST_AHEAD: usize = 20_000;
/// Lines of somebody else that are kept, for whoever looks for the reason.
const MOST_OTHERS: usize = 20;

/// What the task says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Message {
    /// First of all.
    Begin { run: String, version: String },
    /// A check has ended; reasons and fixes are put into words later.
    Saw(Seen),
    /// A check, complete.
    Check { label: String, check: Box<Check> },
    /// Last of all.
    Done { checks: usize },
    /// Nothing could be checked.
    Fault { why: String },
}

/// A check that has ended, in short: to be shown while others still run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub code: Code,
    pub category: Category,
    pub status: Status,
    pub label: String,
    pub message: String,
}

impl Seen {
    pub(super) fn of(check: &Check) -> Self {
        Self {
            code: check.code,
            category: check.category,
            status: check.status,
            label: check.label.clone(),
            message: check.message.clone(),
        }
    }
}

/// A line.
#[derive(Serialize, Deserialize)]
struct Piece {
    #[serde(rename = "confluent-ecs/inside")]
    protocol: u32,
    /// Counts the lines, from 0.
    n: usize,
    /// The message goes on in the next line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    text: String,
}

/// A message as lines, counted on from `next`.
pub fn lines(message: &str, next: &mut usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = message;
    loop {
        let (text, left) = rest.split_at(piece(rest));
        let piece = Piece { protocol: PROTOCOL, n: *next, more: !left.is_empty(), text: text.to_owned() };
        *next += 1;
        pieces.push(serde_json::to_string(&piece).unwrap_or_default());
        if left.is_empty() {
            return pieces;
        }
        rest = left;
    }
}

/// How much of a text fits into one line.
fn piece(text: &str) -> usize {
    let mut written = 0;
    for (place, c) in text.char_indices() {
        written += match c {
            '"' | '\\' => 2,
            c if c.is_control() => 6,
            c => c.len_utf8(),
        };
        if written > MOST_PIECE {
            return place;
        }
    }
    text.len()
}

/// Why a report can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Spoilt {
    #[error("it comes from confluent-ecs {version}, and this is {}", env!("CARGO_PKG_VERSION"))]
    OtherVersion { version: String },
    #[error("it speaks protocol {protocol}, and this version speaks {PROTOCOL}")]
    OtherProtocol { protocol: u32 },
    #[error("a line of it can't be read")]
    Unreadable,
    #[error("it broke off after {checks} checks")]
    CutOff { checks: usize },
    #[error("it belongs to another run")]
    OtherRun,
    #[error("{0}")]
    Fault(String),
}

/// Puts lines together again, in whatever order they come.
#[derive(Debug)]
pub struct Letters {
    run: String,
    pieces: BTreeMap<usize, (String, bool)>,
    next: usize,
    open: String,
    begun: bool,
    checks: usize,
    announced: Option<usize>,
    /// The last lines that weren't ours.
    pub others: Vec<String>,
}

impl Letters {
    /// For the report of this run.
    pub fn of(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            pieces: BTreeMap::new(),
            next: 0,
            open: String::new(),
            begun: false,
            checks: 0,
            announced: None,
            others: Vec::new(),
        }
    }

    /// Whether the whole report is here.
    pub fn is_whole(&self) -> bool {
        self.announced == Some(self.checks)
    }

    /// Whether anything of it is here.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes a line, and gives the messages that are complete with it.
    pub fn line(&mut self, line: &str) -> Result<Vec<Message>, Spoilt> {
        let Ok(piece) = serde_json::from_str::<Piece>(line) else {
            // A stream that is read from its start again brings the same once more.
            let line: String = line.chars().take(500).collect();
            if !line.trim().is_empty() && !self.others.contains(&line) {
                self.others.push(line);
                let more = self.others.len().saturating_sub(MOST_OTHERS);
                self.others.drain(..more);
            }
            return Ok(Vec::new());
        };
        if piece.protocol != PROTOCOL {
            return Err(Spoilt::OtherProtocol { protocol: piece.protocol });
        }
        // One that came before, or stands too far off to be real.
        if piece.n < self.next || piece.n - self.next > MOST_AHEAD {
            return Ok(Vec::new());
        }
        self.pieces.insert(piece.n, (piece.text, piece.more));
        let mut messages = Vec::new();
        while let Some((text, more)) = self.pieces.remove(&self.next) {
            self.next += 1;
            if self.open.len() + text.len() > MOST_MESSAGE {
                return Err(Spoilt::Unreadable);
            }
            self.open.push_str(&text);
            if !more {
                let whole = std::mem::take(&mut self.open);
                messages.push(self.message(&whole)?);
            }
        }
        Ok(messages)
    }

    fn message(&mut self, text: &str) -> Result<Message, Spoilt> {
        let message = serde_json::from_str(text).map_err(|_| Spoilt::Unreadable)?;
        match message {
            Message::Begin { version, .. } if version != env!("CARGO_PKG_VERSION") => Err(Spoilt::OtherVersion { version }),
            Message::Begin { run, .. } if run != self.run => Err(Spoilt::OtherRun),
            Message::Fault { why } => Err(Spoilt::Fault(why)),
            Message::Begin { run, version } => {
                self.begun = true;
                Ok(Message::Begin { run, version })
            }
            // Something was said before it was said by whom.
            _ if !self.begun => Err(Spoilt::Unreadable),
            Message::Check { label, mut check } => {
                self.checks += 1;
                check.label.clone_from(&label);
                Ok(Message::Check { label, check })
            }
            Message::Done { checks } => {
                self.announced = Some(checks);
                Ok(Message::Done { checks })
            }
            Message::Saw(seen) => Ok(Message::Saw(seen)),
        }
    }

    /// Nothing more will come.
    pub fn end(&self) -> Result<(), Spoilt> {
        if self.is_whole() { Ok(()) } else { Err(Spoilt::CutOff { checks: self.checks }) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Letters, MOST_PIECE, Message, PROTOCOL, Spoilt, lines};
    use crate::base::Code;
    use crate::preflight::report::{Category, Check, Status};

    fn sent(messages: &[Message]) -> Vec<String> {
        let mut next = 0;
        messages.iter().flat_map(|message| lines(&serde_json::to_string(message).unwrap(), &mut next)).collect()
    }

    fn begin() -> Message {
        Message::Begin { run: "r1".into(), version: env!("CARGO_PKG_VERSION").into() }
    }

    fn check(message: &str) -> Message {
        let check = Check::new(Code::DNS, Category::Kafka, "connect/worker/dns", "DNS").ended(Status::Passed, message);
        Message::Check { label: "DNS".into(), check: Box::new(check) }
    }

    #[test]
    fn a_report_is_the_same_on_the_other_side_in_whatever_order_its_lines_come() {
        let long = "é\"\\\u{1}".repeat(MOST_PIECE);
        let mut lines = sent(&[begin(), check("3 addresses"), check(&long), Message::Done { checks: 2 }]);
        assert!(lines.len() > 4 && lines.iter().all(|line| line.len() < 16 * 1024));
        lines.reverse();
        lines.insert(2, "thread 'main' panicked".into());
        let mut letters = Letters::of("r1");
        let mut found = Vec::new();
        for line in lines.iter().chain(&lines) {
            found.extend(letters.line(line).unwrap());
        }
        let [Message::Begin { .. }, Message::Check { .. }, Message::Check { label, check }, Message::Done { .. }] = &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((label.as_str(), check.label.as_str(), check.message == long), ("DNS", "DNS", true));
        assert_eq!(letters.end(), Ok(()));
        assert_eq!(letters.others[0], "thread 'main' panicked");
    }

    #[test]
    fn what_is_missing_is_told() {
        let lines = sent(&[begin(), check("a"), check("b"), Message::Done { checks: 2 }]);
        for (gone, checks) in [(3, 2), (2, 1), (1, 0)] {
            let mut letters = Letters::of("r1");
            for (_, line) in lines.iter().enumerate().filter(|(index, _)| *index != gone) {
                letters.line(line).unwrap();
            }
            assert_eq!(letters.end(), Err(Spoilt::CutOff { checks }));
        }
    }

    #[test]
    fn another_version_is_not_believed() {
        let other = Message::Begin { run: "r1".into(), version: "9.9.9".into() };
        assert!(matches!(Letters::of("r1").line(&sent(&[other])[0]), Err(Spoilt::OtherVersion { .. })));
        assert_eq!(Letters::of("r2").line(&sent(&[begin()])[0]).unwrap_err(), Spoilt::OtherRun);
        let newer = sent(&[begin()])[0].replace(&format!("inside\":{PROTOCOL}"), "inside\":7");
        assert_eq!(Letters::of("r1").line(&newer).unwrap_err(), Spoilt::OtherProtocol { protocol: 7 });
        assert_eq!(Letters::of("r1").line(&sent(&[check("a")])[0]).unwrap_err(), Spoilt::Unreadable);
    }
}
