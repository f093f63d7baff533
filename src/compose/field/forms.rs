//! Fields with a form of their own: text that may be empty, booleans that are true by default, command lines.

use super::{Field, Reader, View};
use crate::base::Code;
use crate::compose::node::Node;
use crate::compose::out::Out;
use crate::compose::shell_words;

/// Text that counts as absent when it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Option<String>);

impl Text {
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl std::ops::Deref for Text {
    type Target = Option<String>;

    fn deref(&self) -> &Option<String> {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl Field for Text {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(Some(String::read(node, reader)).filter(|text| !text.is_empty()))
    }

    fn unset(&self, _: View) -> bool {
        self.0.is_none()
    }

    fn write(&self, _: View) -> Out<'_> {
        self.0.as_deref().map_or(Out::Null, Out::text)
    }
}

/// A boolean that is true unless the file says otherwise; true is not printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptOut(pub bool);

impl Default for OptOut {
    fn default() -> Self {
        Self(true)
    }
}

impl Field for OptOut {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(bool::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        self.0
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Bool(self.0)
    }
}

/// A value that is printed also when it is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown<T>(pub T);

impl<T: Field> Field for Shown<T> {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(T::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, view: View) -> Out<'_> {
        self.0.write(view)
    }
}

/// A command line. Absent (`None`) is the image's own; an empty list clears it. JSON shows both, YAML only the second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine(Option<Vec<String>>);

impl std::ops::Deref for CommandLine {
    type Target = Option<Vec<String>>;

    fn deref(&self) -> &Option<Vec<String>> {
        &self.0
    }
}

impl Field for CommandLine {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        if let Some(line) = node.as_str() {
            let words = shell_words::split(line);
            if words.is_none() {
                let message =
                    format!("{} can't be split into words: a quote, a parenthesis or a trailing \\ is open", node.found());
                reader.report.error(Code::WRONG_VALUE, node.span, &reader.path, message);
            }
            return Self(words);
        }
        Self(Some(Vec::read(node, reader)))
    }

    fn unset(&self, view: View) -> bool {
        view == View::Yaml && self.0.is_none()
    }

    fn write(&self, view: View) -> Out<'_> {
        self.0.as_ref().map_or(Out::Null, |words| words.write(view))
    }
}

/// Text or a number, taken as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scalar(pub String);

impl std::ops::Deref for Scalar {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Field for Scalar {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(node.rendered().unwrap_or_else(|| {
            reader.wrong(Code::WRONG_TYPE, node, "a string or a number");
            String::new()
        }))
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::text(&self.0)
    }
}
