//! What a deletion takes and what it leaves, shown before it is asked for.

use std::fmt::Write as _;

use super::{Ui, words};
use crate::deploy::{Farewell, Remains};

impl Ui {
    pub fn farewell(&mut self, farewell: &Farewell) {
        let mut text = String::new();
        let _ = writeln!(text, "deleting {}   AWS {} {}", self.style.strong(&farewell.stack), farewell.account, farewell.region);
        let goes: Vec<String> = farewell.goes.iter().map(|(kind, count)| words::count(*count, &words::kind(kind))).collect();
        let _ = writeln!(
            text,
            "  {}  {}",
            self.style.bad("goes"),
            if goes.is_empty() { "nothing".to_owned() } else { goes.join(", ") }
        );
        self.note(text.trim_end());
        self.stays(&farewell.stays);
    }

    pub fn stays(&mut self, stays: &[Remains]) {
        for remains in stays {
            self.note(&format!("  stays {}  {}", remains.what, self.style.quiet(format!("({})", remains.removal))));
        }
    }
}
