//! The bottom of a terminal: lines that are drawn over again and again, and lines above them that stay.
//!
//! Rules: a terminal may be resized at any moment, and wraps anew what was drawn before; what stays is never drawn over.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use console::Term;

use super::style::Style;
use super::tree::{TICK, Tree};
use crate::base::{Event, Moment};

/// A live view: a frame that is drawn on every tick and on every event.
pub(super) struct Live {
    shared: Arc<Mutex<Shared>>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    tree: Tree,
    term: Term,
    style: Style,
    /// The widths of the lines that are drawn now.
    drawn: Vec<usize>,
    paused: bool,
    over: bool,
}

impl Live {
    pub(super) fn new(style: Style) -> Self {
        let shared = Shared { tree: Tree::default(), term: Term::stderr(), style, drawn: Vec::new(), paused: true, over: false };
        let shared = Arc::new(Mutex::new(shared));
        let ticking = Arc::clone(&shared);
        let ticker = thread::spawn(move || {
            loop {
                thread::sleep(TICK);
                let mut shared = locked(&ticking);
                if shared.over {
                    return;
                }
                shared.draw("");
            }
        });
        Self { shared, ticker: Some(ticker) }
    }

    /// Takes an event in, without showing it.
    pub(super) fn take(&self, event: &Event) {
        locked(&self.shared).tree.take(event);
    }

    /// Shows what there is by now, below lines that stay.
    pub(super) fn show(&self, staying: &str) {
        let mut shared = locked(&self.shared);
        shared.paused = false;
        shared.draw(staying);
    }

    /// Takes the frame away: somebody is asked something.
    pub(super) fn pause(&self) {
        let mut shared = locked(&self.shared);
        shared.clear();
        shared.paused = true;
    }

    pub(super) fn resume(&self) {
        locked(&self.shared).paused = false;
    }

    /// Leaves the whole of the last frame behind.
    pub(super) fn finish(mut self) {
        {
            let mut shared = locked(&self.shared);
            shared.over = true;
            shared.clear();
            let width = shared.size().1;
            let lines = shared.tree.frame(Moment::now(), width, usize::MAX, shared.style);
            let _gone = shared.term.write_all(format!("{}\n", lines.join("\n")).as_bytes());
        }
        if let Some(ticker) = self.ticker.take() {
            let _ended = ticker.join();
        }
    }
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Rows and columns that can be drawn on: the last column is left free, for some terminals wrap when it is written.
    fn size(&self) -> (usize, usize) {
        let (rows, columns) = self.term.size();
        (usize::from(rows).saturating_sub(1).max(1), usize::from(columns).saturating_sub(1).max(1))
    }

    fn draw(&mut self, staying: &str) {
        if self.paused {
            return;
        }
        let (height, width) = self.size();
        let lines = self.tree.frame(Moment::now(), width, height, self.style);
        let mut text = self.back();
        // Each line is written over the old one, and only what is left of the old frame is cleared: clearing all of it first flickers, and
        // tmux keeps in its history what is cleared from the top of the screen.
        for line in staying.lines().chain(lines.iter().map(String::as_str)) {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J");
        self.drawn = lines.iter().map(|line| console::measure_text_width(line)).collect();
        let _gone = self.term.write_all(text.as_bytes()).and_then(|()| self.term.flush());
    }

    fn clear(&mut self) {
        let mut text = self.back();
        let rows = self.rows();
        for _ in 0..rows {
            text.push_str("\x1b[2K\n");
        }
        if rows > 0 {
            let _ = write!(text, "\x1b[{rows}A");
        }
        self.drawn.clear();
        let _gone = self.term.write_all(text.as_bytes()).and_then(|()| self.term.flush());
    }

    /// The rows that the frame takes now. A terminal that became narrower has wrapped its lines.
    fn rows(&self) -> usize {
        let (rows, columns) = self.term.size();
        rows_of(&self.drawn, usize::from(columns)).min(usize::from(rows).saturating_sub(1))
    }

    /// Moves to where the frame began.
    fn back(&self) -> String {
        match self.rows() {
            0 => "\r".to_owned(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }
}

/// The rows that lines of these widths take.
fn rows_of(widths: &[usize], columns: usize) -> usize {
    widths.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::rows_of;

    #[test]
    fn a_line_takes_as_many_rows_as_it_is_wrapped_into() {
        assert_eq!(rows_of(&[10, 0, 80, 81], 80), 5);
        assert_eq!(rows_of(&[199], 80), 3);
        assert_eq!(rows_of(&[1], 0), 1);
        assert_eq!(rows_of(&[], 80), 0);
    }
}
