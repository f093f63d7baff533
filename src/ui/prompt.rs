//! Questions to a person. Only asked when both ends are a terminal; every caller says what flag answers it otherwise.

use std::fmt::Write as _;
use std::future::Future;
use std::io;

use console::Term;

use super::{Ui, hidden};
use crate::base::{Error, Exit, Failure, Result, Secret};

impl Ui {
    /// Whether there is somebody to ask.
    pub fn can_ask(&self) -> bool {
        self.terminal
    }

    /// One line of text; an empty answer takes `default`, and is asked for again where there is none.
    pub fn ask(&mut self, question: &str, default: Option<&str>) -> Result<String> {
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        loop {
            let answer = self.read(&format!("{question}{shown}: "))?;
            match (answer.trim(), default) {
                ("", Some(default)) => return Ok(default.to_owned()),
                ("", None) => {}
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    /// One of `options`, by its name or its number; the first is the default.
    pub fn choose(&mut self, question: &str, options: &[&str]) -> Result<String> {
        self.note(question);
        for (index, option) in options.iter().enumerate() {
            self.note(&format!("  {} {option}", index + 1));
        }
        loop {
            let answer = self.ask("number or name", options.first().copied())?;
            let by_number = answer.parse::<usize>().ok().and_then(|number| options.get(number.wrapping_sub(1)));
            if let Some(option) = by_number.or_else(|| options.iter().find(|option| **option == answer)) {
                return Ok((*option).to_owned());
            }
            self.note(&format!("`{answer}` is none of them"));
        }
    }

    /// A value that must not be seen: typed without echo.
    pub fn ask_secret(&mut self, question: &str) -> Result<Secret> {
        let prompt = format!("{question} (not shown): ");
        self.must_be_asked(&prompt)?;
        match hidden::line(&prompt) {
            Ok(Some(line)) => Ok(Secret::new(line)),
            Ok(None) => Err(Failure::new(Exit::Interrupted, "interrupted before there was an answer").into()),
            Err(error) => Err(unanswered(error)),
        }
    }

    /// Yes or no; anything but a yes is a no.
    pub fn confirm(&mut self, question: &str) -> Result<bool> {
        let answer = self.read(&format!("{question} [y/N] "))?;
        Ok(is_yes(&answer))
    }

    /// As [`Ui::confirm`], while something else may end the waiting: then there is no answer.
    pub async fn confirm_unless(&mut self, question: &str, interrupted: impl Future<Output = ()>) -> Result<Option<bool>> {
        let answer = self.answer_unless(format!("{question} [y/N] "), interrupted).await?;
        Ok(answer.map(|answer| is_yes(&answer)))
    }

    /// One of several ways to go on, by its first letter; the first one is the default. Something else may end the waiting.
    pub async fn decide_unless(
        &mut self,
        question: &str,
        ways: &[(char, &str)],
        interrupted: impl Future<Output = ()>,
    ) -> Result<Option<char>> {
        let mut text = format!("{question}\n");
        for (letter, way) in ways {
            let _ = writeln!(text, "  {letter}  {way}");
        }
        let letters: Vec<String> = ways.iter().map(|(letter, _)| letter.to_string()).collect();
        let _ = write!(text, "[{}] ", letters.join("/"));
        let Some(answer) = self.answer_unless(text, interrupted).await? else { return Ok(None) };
        let typed = answer.trim().to_lowercase().chars().next();
        let chosen = ways.iter().map(|(letter, _)| *letter).find(|letter| Some(*letter) == typed);
        Ok(chosen.or_else(|| ways.first().map(|(letter, _)| *letter)))
    }

    /// One line, or nothing where `interrupted` ends first. The reading thread stays behind then: it takes the next line that is typed,
    /// or ends with the process.
    async fn answer_unless(&mut self, prompt: String, interrupted: impl Future<Output = ()>) -> Result<Option<String>> {
        self.must_be_asked(&prompt)?;
        let (send, answered) = tokio::sync::oneshot::channel();
        let term = Term::stderr();
        std::thread::spawn(move || {
            let answer = term.write_str(&prompt).and_then(|()| term.read_line());
            let _nobody_waits = send.send(answer);
        });
        tokio::select! {
            answer = answered => {
                match answer.unwrap_or_else(|_| Ok(String::new())) {
                    Ok(answer) => Ok(Some(answer)),
                    // The terminal's own word for a Ctrl-C; whichever comes first.
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
                    Err(error) => Err(unanswered(error)),
                }
            }
            () = interrupted => Ok(None),
        }
    }

    fn read(&mut self, prompt: &str) -> Result<String> {
        self.must_be_asked(prompt)?;
        let term = Term::stderr();
        term.write_str(prompt).and_then(|()| term.read_line()).map_err(unanswered)
    }

    /// Every caller has looked whether there is somebody.
    fn must_be_asked(&self, prompt: &str) -> Result<()> {
        if self.terminal { Ok(()) } else { Err(Failure::fault(format!("asked without a terminal: {prompt}")).into()) }
    }
}

fn unanswered(error: io::Error) -> Error {
    Failure::new(Exit::Interrupted, "no answer").cause(error).into()
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
