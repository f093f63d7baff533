//! What a deletion takes and what it leaves, shown before it is asked for.

use std::fmt::Write as _;

use super::{Ui, words};
use crate::deploy::Farewell;

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
        for remains in &farewell.stays {
            let _ = writeln!(text, "  stays {}  {}", remains.what, self.style.quiet(format!("({})", remains.removal)));
        }
        self.note(text.trim_end());
    }
}
