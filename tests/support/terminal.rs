//! Runs the program on a terminal and answers its questions, with the bed's Python and `terminal.py`.

use std::path::Path;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;

use super::PATIENCE;
use super::program::Ran;

/// What the terminal showed is in `stdout`; stderr goes to the terminal, too.
pub(crate) fn run(folder: &Path, arguments: &[&str], answers: &[&str]) -> Ran {
    run_with(folder, arguments, answers, &[])
}

/// … with more variables.
pub(crate) fn run_with(folder: &Path, arguments: &[&str], answers: &[&str], variables: &[(&str, &str)]) -> Ran {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = Command::new(root.join("tests/bed/venv")).output().unwrap();
    let python = String::from_utf8(venv.stdout).unwrap();
    let output = Command::new(python.trim())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .envs(variables.iter().copied())
        .arg(root.join("tests/support/terminal.py"))
        .arg(folder)
        .arg(PATIENCE.as_secs().to_string())
        .arg(cargo_bin("confluent-ecs"))
        .args(arguments)
        .write_stdin(answers.join("\n"))
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
