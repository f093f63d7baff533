//! A document whose answers come later: its JSON with a gap for each answer, as the one composing function leaves it.
//!
//! What fills a gap is not quoted again: it goes through JAAS, properties and JSON as it is. [`Blank::pattern`] says what passes through all
//! of them unchanged; anything else has to be composed.

use super::{Answers, Composition, Structure, compose};
use crate::base::{Failure, Result, Secret};

/// A document with gaps.
#[derive(Debug, Clone)]
pub struct Form {
    pub parts: Vec<FormPart>,
    pub blanks: Vec<Blank>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormPart {
    Literal(String),
    /// The answer to the blank of this number.
    Answer(usize),
}

/// An answer that is to come.
#[derive(Debug, Clone)]
pub struct Blank {
    /// The name of the answer, `registry.username`.
    pub name: String,
    pub label: String,
    /// It must not end a name in `user:password`.
    no_colon: bool,
}

/// Printable ASCII without quotes and backslashes, no blank at either end, and no `${`, which a worker takes for a reference.
const PLAIN: &str = r"^(?!.*\$\{)[!#-\[\]-~]([ !#-\[\]-~]*[!#-\[\]-~])?$";
/// … and no colon.
const PLAIN_NAME: &str = r"^(?!.*\$\{)[!#-9;-\[\]-~]([ !#-9;-\[\]-~]*[!#-9;-\[\]-~])?$";

impl Blank {
    /// What may be put in its place, as a regular expression of Java's and Python's.
    pub fn pattern(&self) -> &'static str {
        if self.no_colon { PLAIN_NAME } else { PLAIN }
    }

    /// The same in words.
    pub fn rule(&self) -> &'static str {
        if self.no_colon {
            "printable ASCII without quotes, backslashes and colons, no blank at either end, and no dollar before a brace"
        } else {
            "printable ASCII without quotes and backslashes, no blank at either end, and no dollar before a brace"
        }
    }
}

/// The form of a structure.
pub fn form(structure: &Structure) -> Result<Form> {
    let mark = |index: usize| format!("QxAnswer{index}xQ");
    let mut answers = Answers::default();
    let mut blanks = Vec::new();
    for (index, question) in structure.questions().into_iter().enumerate() {
        answers.insert(question.name.clone(), Secret::new(mark(index)));
        let no_colon = question.name.ends_with(".username")
            && structure.keys.iter().any(|key| matches!(key.composition, Composition::UserInfo { .. }));
        blanks.push(Blank { name: question.name, label: question.label, no_colon });
    }
    let document = compose(structure, &answers).map_err(|_| {
        Failure::usage("this secret can't be put together from plain parameters")
            .cause("it holds PEM, whose line breaks a plain parameter can't keep")
            .help("leave --plain-parameters out: the finished JSON is then the one parameter")
    })?;
    let json = document.to_json();
    let mut parts = Vec::new();
    let mut rest = json.expose();
    while let Some((at, index)) = (0..blanks.len()).filter_map(|index| Some((rest.find(&mark(index))?, index))).min() {
        if at > 0 {
            parts.push(FormPart::Literal(rest[..at].to_owned()));
        }
        parts.push(FormPart::Answer(index));
        rest = &rest[at + mark(index).len()..];
    }
    if !rest.is_empty() {
        parts.push(FormPart::Literal(rest.to_owned()));
    }
    Ok(Form { parts, blanks })
}
