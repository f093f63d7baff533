//! `explain`: a code → its page; a log on standard input → the causes found in it; neither → the list of codes.

use std::io::{self, IsTerminal, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::base::{Exit, Failure, Result};
use crate::cli::ExplainArgs;
use crate::explain;
use crate::ui::Ui;

/// A log that comes through a pipe may pause; longer than this, nobody is writing any more.
const QUIET: Duration = Duration::from_mins(1);
const CHUNK: usize = 64 << 10;
/// What is kept of a line that goes on and on.
const LONGEST: usize = 64 << 10;

pub(super) fn run(args: &ExplainArgs, ui: &mut Ui) -> Result<Exit> {
    if let Some(code) = &args.code {
        ui.page(explain::find(code)?);
        return Ok(Exit::Done);
    }
    if io::stdin().is_terminal() {
        ui.codes();
        return Ok(Exit::Done);
    }
    let mut reader = explain::Reader::new()?;
    let ended = read(&mut reader)?;
    if reader.lines() == 0 && ended {
        ui.codes();
        return Ok(Exit::Done);
    }
    if !ended {
        ui.note(&format!("no line came for {} s; this is what was found until then", QUIET.as_secs()));
    }
    let lines = reader.lines();
    ui.causes(&reader.causes(), lines);
    Ok(Exit::Done)
}

/// Feeds standard input to the reader; gives whether it came to its end.
fn read(reader: &mut explain::Reader) -> Result<bool> {
    let chunks = chunks();
    let mut line: Vec<u8> = Vec::new();
    loop {
        match chunks.recv_timeout(QUIET) {
            Ok(Ok(chunk)) => {
                for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
                    let (text, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
                    line.extend(&text[..text.len().min(LONGEST.saturating_sub(line.len()))]);
                    if ends {
                        reader.line(&line);
                        line.clear();
                    }
                }
            }
            Ok(Err(error)) => return Err(Failure::usage("standard input can't be read").cause(error).into()),
            Err(stopped) => {
                if !line.is_empty() {
                    reader.line(&line);
                }
                return Ok(stopped == RecvTimeoutError::Disconnected);
            }
        }
    }
}

/// Standard input in pieces, read beside: a read can't be given up, and nothing may hang. The thread ends with the process.
fn chunks() -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(16);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut chunk = vec![0; CHUNK];
            let sent = match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => {
                    chunk.truncate(count);
                    sender.send(Ok(chunk))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let _gone = sender.send(Err(error));
                    break;
                }
            };
            if sent.is_err() {
                break;
            }
        }
    });
    receiver
}
