//! The only room that prints. Comes in: results, findings, failures as data. Goes out: stdout (the result) and stderr (everything else).
//!
//! Rules: a pipe that closes early is no error; colour never carries a meaning alone; on a terminal findings are drawn
//! with the user's line, elsewhere they are one line each, under GitHub Actions they are annotations.

mod acl;
mod chart;
mod explain;
mod farewell;
mod fault;
mod finding;
mod fixes;
mod hidden;
mod images;
mod in_vpc;
mod outcome;
mod plan;
mod progress;

mod init;
mod logs;
mod profiles;
mod prompt;
mod report;
mod screen;
mod secret;
mod secrets;
mod status;
mod style;
mod summary;
mod tree;
mod words;
mod wrap;

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::base::{Exit, Failure, Findings, Severity, Sources};
use crate::cli::{DisplayArgs, Output, When};
use crate::deploy::journal::Run;
pub use acl::Commands;
pub use fault::end_at_panics;
pub use images::{CopyProgress, Pushed, Target};
pub use in_vpc::InsideNews;
pub use plan::{Place, PlanView};
pub use progress::Progress;
pub use report::ReportView;
pub use secrets::ScramPut;
use style::Style;

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// With the user's line under each finding.
    Drawn,
    /// One line each.
    Plain,
    /// `::error file=…` workflow commands.
    GitHub,
}

/// The one road to the terminal.
#[derive(Debug)]
pub struct Ui {
    form: Form,
    style: Style,
    /// For a result: stdout may go into a file while stderr is on a terminal.
    result_style: Style,
    sources: Sources,
    output: Output,
    /// Somebody sits at both ends.
    terminal: bool,
    /// What kept the result from reaching standard output.
    unwritten: Option<io::Error>,
}

impl Ui {
    pub fn new(display: &DisplayArgs) -> Self {
        let terminal = io::stderr().is_terminal();
        let github = env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let form = match (terminal, github) {
            (true, _) => Form::Drawn,
            (false, true) => Form::GitHub,
            (false, false) => Form::Plain,
        };
        let colour = |terminal: bool| match display.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Self {
            form,
            style: Style::new(colour(terminal)),
            result_style: Style::new(colour(io::stdout().is_terminal())),
            sources: Sources::default(),
            output: display.output,
            terminal: terminal && io::stdin().is_terminal(),
            unwritten: None,
        }
    }

    /// The texts that findings point into; drawn findings show their line.
    pub fn set_sources(&mut self, sources: Sources) {
        self.sources = sources;
    }

    /// Shows what clap says about the arguments, help and version included.
    pub fn usage(error: &clap::Error) -> Exit {
        let rendered = error.render();
        if error.use_stderr() {
            let text = if io::stderr().is_terminal() { rendered.ansi().to_string() } else { rendered.to_string() };
            aside(&text);
            Exit::Usage
        } else {
            let text = if io::stdout().is_terminal() { rendered.ansi().to_string() } else { rendered.to_string() };
            // Whoever asks for help into a full file sees that it is none.
            let _unwritten = write_all(&mut io::stdout(), &text);
            Exit::Done
        }
    }

    /// The result of the run, on stdout, as it is.
    pub fn result(&mut self, text: &str) {
        if let Err(error) = write_all(&mut io::stdout().lock(), text) {
            self.unwritten.get_or_insert(error);
        }
    }

    /// How a run ends that would have ended so: a template that a full disk has cut short must not look like a whole one.
    pub fn ended(&mut self, exit: Exit) -> Exit {
        let Some(error) = self.unwritten.take() else { return exit };
        self.failure(&Failure::fault("the result could not be written to standard output").cause(error));
        if exit == Exit::Done { Exit::Fault } else { exit }
    }

    /// The result as one JSON document.
    pub fn json(&mut self, document: &impl Serialize) {
        let text = match self.output {
            Output::Jsonl => serde_json::to_string(document),
            Output::Json | Output::Text => serde_json::to_string_pretty(document),
        };
        // Our documents have string keys and finite numbers: there is nothing that could fail.
        if let Ok(text) = text {
            self.result(&format!("{text}\n"));
        }
    }

    /// Whether the result is asked for as JSON.
    pub fn wants_json(&self) -> bool {
        self.output != Output::Text
    }

    /// Whether drawings and moving lines have a terminal to be on.
    fn drawn(&self) -> bool {
        self.form == Form::Drawn && env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// A line for a person beside the result: progress, a hint, what to type next. On stderr.
    pub fn note(&mut self, text: &str) {
        aside(&format!("{text}\n"));
    }

    /// The last words of a process that is ended at once, from wherever that is noticed: what nobody takes away any more.
    pub fn left_behind<'a>(what: impl Iterator<Item = &'a String>) {
        let lines = what.fold(String::new(), |lines, line| lines + "  " + line + "\n");
        if !lines.is_empty() {
            aside(&format!("left behind:\n{lines}"));
        }
    }

    /// Parameters of a template that the user must fill in, each with what it is.
    pub fn open_parameters(&mut self, parameters: &[(&str, &str)]) {
        if parameters.is_empty() {
            return;
        }
        let width = parameters.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let mut text = String::from("parameters that only an AWS account can tell (`up` looks them up):\n");
        for (name, description) in parameters {
            let _ = writeln!(text, "  {name:width$}  {description}");
        }
        self.note(text.trim_end());
    }

    /// A run as an HTML document.
    pub fn report_of(&self, run: &Run) -> String {
        chart::html(run)
    }

    /// Where the report of a run lies.
    pub fn run_reported(&mut self, run: &Run, file: &str) {
        if self.wants_json() {
            let id = &run.id;
            self.json(&serde_json::json!({ "schema": "confluent-ecs/report/v1", "run": id, "file": file }));
        } else {
            self.result(&format!("wrote {file}\n"));
        }
    }

    /// Every finding, and on a terminal a last line that counts them.
    pub fn findings(&mut self, findings: &Findings) {
        let mut text = String::new();
        for finding in findings.iter() {
            match self.form {
                Form::Drawn => finding::drawn(&mut text, finding, &self.sources, self.style),
                Form::Plain => finding::plain(&mut text, finding),
                Form::GitHub => finding::github(&mut text, finding),
            }
        }
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        if self.form == Form::Drawn && !findings.is_empty() {
            finding::counted(&mut text, count(Severity::Error), count(Severity::Warning));
            finding::more(&mut text, findings, self.style);
        }
        aside(&text);
    }

    /// What could not be done, why, and what to do.
    pub fn failure(&mut self, failure: &Failure) {
        let mut text = String::new();
        finding::failure(&mut text, failure, self.style);
        if self.form == Form::GitHub {
            finding::github_failure(&mut text, failure);
        }
        aside(&text);
    }
}

/// Writes, and takes a reader that has gone for success: there is nobody left to tell.
fn write_all(out: &mut dyn Write, text: &str) -> io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes to stderr. Where that is in the way of nothing else, there is nowhere left to say so.
fn aside(text: &str) {
    let _unwritten = write_all(&mut io::stderr().lock(), text);
}
