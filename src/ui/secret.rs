//! The one way of a secret value to stdout: `secrets compose`, which was asked for it.

use std::io::{self, IsTerminal};

use super::Ui;
use crate::base::Secret;

impl Ui {
    /// The value as the result of the run.
    pub fn secret_result(&mut self, secret: &Secret) {
        self.result(&format!("{}\n", secret.expose()));
    }

    /// Whether the result goes to a terminal, where people see it and where it stays.
    pub fn result_is_seen(&self) -> bool {
        io::stdout().is_terminal()
    }
}
