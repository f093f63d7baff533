//! A panic as a user sees it. Comes in: where it happened. Goes out: a failure on stderr, and the end of the process.
//!
//! Rules: whichever thread it was, the program ends with [`Exit::Fault`]: half of a program that goes on would do more harm. The
//! message of a panic isn't shown, for it may quote what it fell over, and that may be a secret.

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};

use super::style::Style;
use super::{aside, finding};
use crate::base::{Exit, Failure};

/// From here on a panic ends the process.
pub fn end_at_panics() {
    panic::set_hook(Box::new(|info| {
        let mut text = String::new();
        let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        // The cursor may be hidden, and a half-drawn line may stand before it.
        if io::stderr().is_terminal() {
            text.push_str("\r\x1b[?25h\x1b[J");
        }
        finding::failure(&mut text, &failure(info), Style::new(colour));
        aside(&text);
        std::process::exit(i32::from(Exit::Fault as u8));
    }));
}

fn failure(info: &PanicHookInfo<'_>) -> Failure {
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    Failure::fault("this is a fault of confluent-ecs, not of yours")
        .cause(format!(
            "it came to a state at {place} that its authors thought impossible (version {})",
            env!("CARGO_PKG_VERSION")
        ))
        .help("what was begun in the account goes on there: `confluent-ecs status` shows how far it came")
        .help("please report this place, with the command that you typed")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// The hook ends the whole process, so the test starts itself once more, and that one panics.
    #[test]
    fn a_panic_ends_the_process_and_quotes_nothing() {
        const INNER: &str = "CONFLUENT_ECS_TEST_PANIC";
        if std::env::var_os(INNER).is_some() {
            super::end_at_panics();
            let text = "hunter2ü";
            let _ = std::thread::spawn(move || text[..std::hint::black_box(8)].len()).join();
            unreachable!("the thread's panic ends the process");
        }
        let this = std::env::current_exe().unwrap();
        let name = "ui::fault::tests::a_panic_ends_the_process_and_quotes_nothing";
        let output = Command::new(this).args([name, "--exact", "--nocapture"]).env(INNER, "1").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("error: this is a fault of confluent-ecs") && said.contains("src/ui/fault.rs:"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
