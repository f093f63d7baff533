//! What `init` wrote, and the next two commands.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::Ui;
use crate::base::{Exit, Failure, Result};
use crate::init::{Model, Outcome, State};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    project: &'a str,
    env: &'a str,
    files: &'a [Outcome],
    notes: &'a [String],
    next: &'a [String],
}

impl Ui {
    /// The files, each with what became of it. Where one is in the way, its text as it would be, and exit 2.
    pub fn init_report(&mut self, model: &Model, folder: Option<&Path>, outcomes: &[Outcome]) -> Result<Exit> {
        let different: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.state == State::Different).collect();
        let next = next(model, folder);
        if self.wants_json() {
            let next = if different.is_empty() { next.as_slice() } else { &[] };
            let schema = "confluent-ecs/init/v1";
            let (project, env, notes) = (&model.project, &model.env, &model.notes);
            self.json(&Document { schema, project, env, files: outcomes, notes, next });
        }
        if !different.is_empty() {
            return Err(self.in_the_way(&different).into());
        }
        if self.wants_json() {
            return Ok(Exit::Done);
        }
        let mut text = String::new();
        for outcome in outcomes {
            let word = match outcome.state {
                State::Created => "wrote",
                State::Extended => "added to",
                State::Replaced => "replaced",
                State::Unchanged | State::Different => "unchanged",
            };
            let _ = writeln!(text, "{word:9} {}", outcome.path.display());
        }
        let _ = writeln!(text, "\nnext: {}", next.join("\n      "));
        // Only what is new needs to be known.
        if outcomes.iter().any(|outcome| outcome.state != State::Unchanged) {
            for note in &model.notes {
                self.note(&format!("note: {}", note.replace('\n', "\n  ")));
            }
        }
        self.result(&text);
        Ok(Exit::Done)
    }

    fn in_the_way(&mut self, different: &[&Outcome]) -> Failure {
        let names: Vec<String> = different.iter().map(|outcome| outcome.path.display().to_string()).collect();
        if !self.wants_json() {
            for outcome in different {
                self.result(&format!("# {} would have:\n{}", outcome.path.display(), outcome.refused));
            }
        }
        Failure::usage(format!("{} is there with another text; nothing was written", names.join(", ")))
            .help("take over by hand what you need, or replace the file with --force")
    }
}

fn next(model: &Model, folder: Option<&Path>) -> Vec<String> {
    let env = &model.env;
    let folder = folder.map(|folder| format!(" --project-directory {}", folder.display())).unwrap_or_default();
    let put = model.secrets.iter().map(|secret| format!("confluent-ecs secrets put {} --env {env}{folder}", secret.name));
    put.chain([format!("confluent-ecs preflight --env {env}{folder}")]).collect()
}
