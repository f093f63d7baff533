//! Runs the program as a user would: arguments and standard input in, exit code, stdout and stderr out.

use std::path::Path;

use assert_cmd::Command;

use super::PATIENCE;

/// Preflight's limits are longer here (`src/preflight/patience.rs`): a busy machine is no fault of what is checked.
pub(crate) const PATIENT: (&str, &str) = ("CONFLUENT_ECS_PATIENCE", "5");

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs in a folder, with an environment in which nothing of the machine's own changes the outcome.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ran {
    run_with(folder, arguments, "", &[])
}

/// … with standard input and variables.
pub(crate) fn run_with(folder: &Path, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Ran {
    let output = Command::cargo_bin("confluent-ecs")
        .unwrap()
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .envs([PATIENT])
        .envs(variables.iter().copied())
        .args(arguments)
        .write_stdin(input)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
