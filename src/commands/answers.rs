//! Plain answers for a secret: from a file, from standard input, or asked for.

use std::fs::File;
use std::io::{self, Read};

use crate::base::{Failure, Result, Secret};
use crate::confluent::secret::{Answers, Structure};
use crate::ui::Ui;

/// Secrets Manager takes 64 KiB; more is the wrong file.
const MAX_BYTES: u64 = 64 << 10;

/// The answers that a structure asks for. They never come from an argument: those can be seen by every process.
pub(super) fn gather(structure: &Structure, from: Option<&str>, ui: &mut Ui) -> Result<Answers> {
    match from {
        Some("-") => Answers::parse(&read("standard input", io::stdin().lock())?),
        Some(file) => {
            let opened = File::open(file).map_err(|error| Failure::usage(format!("{file} can't be read")).cause(error))?;
            Answers::parse(&read(file, opened)?)
        }
        None => ask(structure, ui),
    }
}

fn read(name: &str, source: impl Read) -> Result<Secret> {
    let mut text = String::new();
    let cause = match source.take(MAX_BYTES + 1).read_to_string(&mut text) {
        Ok(read) if read as u64 <= MAX_BYTES => return Ok(Secret::new(text)),
        Ok(_) => format!("it holds over {MAX_BYTES} bytes"),
        Err(error) => error.to_string(),
    };
    Err(Failure::usage(format!("{name} can't be read")).cause(cause).into())
}

fn ask(structure: &Structure, ui: &mut Ui) -> Result<Answers> {
    let questions = structure.questions();
    if !ui.can_ask() {
        let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
        let failure = Failure::usage("there is no terminal to ask on").cause(format!("missing: {}", names.join(", ")));
        return Err(failure.help("give the answers as name=value lines: --from FILE, or --from - for standard input").into());
    }
    let mut answers = Answers::default();
    for question in questions {
        let answer = if question.hidden { ui.ask_secret(&question.label)? } else { Secret::new(ui.ask(&question.label, None)?) };
        answers.insert(question.name, answer);
    }
    Ok(answers)
}
