//! A project as text: JSON as Docker Compose prints it, or the same in YAML that every reader takes alike.
//!
//! Every `$` is doubled, so that what is printed can be read again.

use super::field::View;
use super::out::Out;
use super::project::Project;
use super::yaml_text;

/// The two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Yaml,
}

impl Project {
    /// The merged project, with a line break at its end.
    pub fn print(&self, format: Format) -> String {
        let text = match format {
            Format::Json => json(&self.write(View::Json)),
            Format::Yaml => yaml_text::document(&self.write(View::Yaml)),
        };
        if text.contains('$') { text.replace('$', "$$") } else { text }
    }
}

/// Indented by two, with the characters escaped that would mean something inside HTML, or that YAML refuses.
fn json(value: &Out<'_>) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    if !text.contains(['<', '>', '&', '\u{7f}', '\u{2028}', '\u{2029}']) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{7f}' => out.push_str("\\u007f"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}
