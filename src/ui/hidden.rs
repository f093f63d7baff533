//! A line that is typed without being seen. Comes in: a question. Goes out: what was typed, or nothing where Ctrl-C ended it.
//!
//! Rules: the terminal shows nothing of what is typed from before the question stands there until the line has ended, and all of it again
//! afterwards, however that was. Ctrl-C is read here, as the end of the line: as a signal it would end the process at once, and leave a
//! terminal behind that shows nothing any more.

use std::io::{self, BufRead, ErrorKind};

use console::Term;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// Asks on stderr, and reads from the terminal that standard input is.
pub(super) fn line(question: &str) -> io::Result<Option<String>> {
    let term = Term::stderr();
    let unseen = Unseen::begin()?;
    term.write_str(question)?;
    let line = until_end(&mut io::stdin().lock(), unseen.interrupt());
    drop(unseen);
    // The end of the line was not shown either.
    term.write_line("")?;
    line
}

/// A terminal that shows nothing, until this is dropped.
struct Unseen {
    before: Termios,
}

impl Unseen {
    /// What was typed before is dropped with it: it answers nothing that was asked.
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        now.special_codes[SpecialCodeIndex::VEOL] = before.special_codes[SpecialCodeIndex::VINTR];
        tcsetattr(io::stdin(), OptionalActions::Flush, &now)?;
        Ok(Self { before })
    }

    /// The byte that Ctrl-C sends.
    fn interrupt(&self) -> u8 {
        self.before.special_codes[SpecialCodeIndex::VINTR]
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be put right.
        let _gone = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// A line without its end; nothing where it ends with an interrupt.
fn until_end(input: &mut impl BufRead, interrupt: u8) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = available.iter().position(|byte| [b'\n', interrupt].contains(byte));
        let taken = &available[..end.unwrap_or(available.len())];
        line.extend_from_slice(taken);
        let (count, last) = (taken.len(), end.map(|end| available[end]));
        input.consume(count + usize::from(last.is_some()));
        match last {
            Some(b'\n') => break,
            Some(_) => return Ok(None),
            None if count == 0 && line.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            None if count == 0 => break,
            None => {}
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    // The error of the conversion holds what was typed.
    String::from_utf8(line).map(Some).map_err(|_| io::Error::new(ErrorKind::InvalidData, "what was typed is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::until_end;

    #[test]
    fn a_line_ends_with_enter_and_is_none_with_an_interrupt() {
        // Small pieces, as a terminal gives them.
        let mut input = BufReader::with_capacity(3, "hunter2\r\n\nhun\u{3}last".as_bytes());
        let mut next = || until_end(&mut input, 3);
        assert_eq!(next().unwrap().as_deref(), Some("hunter2"));
        assert_eq!(next().unwrap().as_deref(), Some(""));
        assert_eq!(next().unwrap(), None);
        assert_eq!(next().unwrap().as_deref(), Some("last"));
        assert!(next().is_err());
        assert!(until_end(&mut b"\xff\n".as_slice(), 3).is_err());
    }
}
