//! Colours, by meaning. Every coloured word also says what it means without its colour.

use std::fmt::Display;

#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    colour: bool,
}

impl Style {
    pub(super) fn new(colour: bool) -> Self {
        Self { colour }
    }

    pub(super) fn bad(self, text: impl Display) -> String {
        self.paint("1;31", text)
    }

    pub(super) fn doubtful(self, text: impl Display) -> String {
        self.paint("1;33", text)
    }

    pub(super) fn quiet(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    pub(super) fn strong(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        let text = text.to_string();
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text }
    }
}
