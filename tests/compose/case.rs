//! Cases: files that make up a project, how it is read, and what comes of it.
//!
//! A file under `cases/` holds many. `=== name` begins a case; `args`, `services`, `env`, `cwd` and `stdin` follow as JSON;
//! `>>> path` begins a file of the project. `>>> json` is what Docker Compose prints, `>>> error` the texts that must stand
//! in the message (in any case of letters), `>>> docker says` Docker's own message. `${ROOT}` is the project's folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

#[derive(Debug, Default, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) services: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) cwd: String,
    pub(crate) stdin: String,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) json: Option<Value>,
    pub(crate) errors: Vec<String>,
    pub(crate) docker_says: String,
}

/// What a run of a case gave, with the project's folder as `${ROOT}`.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose/cases")
}

/// The groups of cases, by the names of their files.
pub(crate) fn groups() -> Vec<String> {
    let mut groups: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    groups.sort();
    groups
}

/// The cases of a group.
pub(crate) fn group(name: &str) -> Vec<Case> {
    let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    // The file that is being read, and whether it ends with a line break.
    let mut file: Option<(String, String, bool)> = None;
    let finish = |case: Option<&mut Case>, file: Option<(String, String, bool)>| {
        let (Some(case), Some((path, mut text, ends))) = (case, file) else { return };
        if !ends {
            text.pop();
        }
        match path.as_str() {
            "json" => case.json = Some(serde_json::from_str(&text).unwrap()),
            "error" => case.errors = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            "docker says" => text.trim().clone_into(&mut case.docker_says),
            _ => case.files.push((path, text)),
        }
    };
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            finish(cases.last_mut(), file.take());
            cases.push(Case { name: name.to_owned(), cwd: ".".to_owned(), ..Case::default() });
        } else if let Some(path) = line.strip_prefix(">>> ") {
            finish(cases.last_mut(), file.take());
            let (path, ends) = path.strip_suffix(" (no line break at the end)").map_or((path, true), |path| (path, false));
            file = Some((path.to_owned(), String::new(), ends));
        } else if let Some((_, text, _)) = &mut file {
            text.push_str(line);
            text.push('\n');
        } else if let Some((key, value)) = line.split_once(": ") {
            let case = cases.last_mut().unwrap();
            match key {
                "args" => case.arguments = serde_json::from_str(value).unwrap(),
                "services" => case.services = serde_json::from_str(value).unwrap(),
                "env" => case.environment = serde_json::from_str(value).unwrap(),
                "cwd" => case.cwd = serde_json::from_str(value).unwrap(),
                "stdin" => case.stdin = serde_json::from_str(value).unwrap(),
                other => panic!("{name}: {other} is no header of a case"),
            }
        }
    }
    finish(cases.last_mut(), file.take());
    // A blank line parts two cases; it belongs to neither.
    for case in &mut cases {
        if let Some((_, text)) = case.files.last_mut().filter(|_| case.json.is_none() && case.errors.is_empty()) {
            text.truncate(text.trim_end_matches('\n').len() + 1);
        }
    }
    cases
}

impl Case {
    /// Writes the files into a folder.
    pub(crate) fn write(&self, root: &Path) {
        for (path, text) in &self.files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// Runs `config` on it as a user would.
    pub(crate) fn run(&self, format: &str) -> Answer {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap().join("root");
        fs::create_dir(&root).unwrap();
        self.write(&root);
        let shown = root.to_str().unwrap().to_owned();
        let cwd = root.join(&self.cwd).canonicalize().unwrap();
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("confluent-ecs"))
            .current_dir(&cwd)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/nonexistent")
            .env("PWD", &cwd)
            .envs(self.environment.iter().map(|(name, value)| (name, value.replace("${ROOT}", &shown))))
            .args(self.arguments.iter().map(|argument| argument.replace("${ROOT}", &shown)))
            .args(["config", "--format", format])
            .args(&self.services)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), self.stdin.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&shown, "${ROOT}");
        Answer { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
