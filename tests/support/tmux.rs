//! A real terminal, with tmux: what is on its screen is what a person sees. A server of its own for each; it ends with the value.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::PATIENCE;

pub(crate) struct Tmux {
    /// Where the socket of the server is.
    folder: TempDir,
}

impl Tmux {
    /// Runs a command of the shell on a terminal of this size.
    pub(crate) fn start(folder: &Path, command: &str, variables: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let tmux = Self { folder: tempfile::tempdir().unwrap() };
        let mut start = tmux.command();
        start
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("TMUX_TMPDIR", tmux.folder.path())
            .env("TERM", "xterm-256color");
        // Whatever is left behind is found by it.
        start.envs(std::env::var_os("TMPDIR").map(|value| ("TMPDIR", value)));
        start.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").envs(variables.iter().copied()).current_dir(folder);
        let (columns, rows) = (columns.to_string(), rows.to_string());
        // What the command ends with stays on the screen, with its exit code.
        let shown = format!("{command}; echo \"exit status $?.\"; sleep 600");
        let session = ["-u", "-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, &shown];
        let started = start.args(session).output().unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        tmux
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.run(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// `C-c`, `y`, `Enter`.
    pub(crate) fn press(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    /// The screen as it is now, without blanks at the ends of lines.
    pub(crate) fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// The screen, with all that has gone out of it at its top.
    pub(crate) fn history(&self) -> String {
        self.run(&["capture-pane", "-p", "-S", "-", "-J"])
    }

    /// The screen when it shows a text; fails with what it shows instead.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) -> String {
        self.until_that(text, |screen| screen.contains(text))
    }

    /// The screen when it is as it should be.
    #[track_caller]
    pub(crate) fn until_that(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(Instant::now() < end, "{what:?} never came:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.env("TMUX_TMPDIR", self.folder.path()).env_remove("TMUX").args(["-L", "test"]);
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let ran = self.command().args(arguments).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ended = self.command().arg("kill-server").output();
    }
}
