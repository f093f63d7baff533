//! YAML text → the parser's events, in order, up to the end or to a syntax error.
//!
//! Parsing is a good part of the work of a load. A large text is therefore parsed on a thread of its own, which runs a few
//! batches ahead of whoever reads the events, and no further: what lies between the two is bounded.

use std::sync::mpsc;
use std::thread;

use saphyr_parser::{Event, Parser, ScanError, Span, StrInput};

/// A smaller text is parsed before a thread has begun.
const LARGE: usize = 64 << 10;

/// Events that are handed over at once, and how many such batches may wait.
const BATCH: usize = 256;
const WAITING: usize = 16;

/// What the parser says next.
pub(super) type Next<'t> = Result<(Event<'t>, Span), ScanError>;

/// Hands over one event after the other until `take` wants no more.
pub(super) fn each<'t>(text: &'t str, mut take: impl FnMut(Next<'t>) -> bool) {
    let mut parser: Parser<'t, StrInput<'t>> = Parser::new_from_str(text);
    if text.len() < LARGE {
        while parser.next_event().is_some_and(&mut take) {}
        return;
    }
    thread::scope(|scope| {
        let (sender, batches) = mpsc::sync_channel::<Vec<Next<'t>>>(WAITING);
        scope.spawn(move || {
            loop {
                let mut batch = Vec::with_capacity(BATCH);
                while batch.len() < BATCH
                    && let Some(next) = parser.next_event()
                {
                    let refused = next.is_err();
                    batch.push(next);
                    if refused {
                        break;
                    }
                }
                let ended = batch.len() < BATCH;
                // Nobody takes it where the reader has had enough.
                if sender.send(batch).is_err() || ended {
                    return;
                }
            }
        });
        batches.into_iter().flatten().all(take);
    });
}
