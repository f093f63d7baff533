//! Pages of `explain`, laid out for the width there is.

use std::fmt::Write as _;

use serde::Serialize;

use super::wrap::{width, wrapped};
use super::{Ui, words};
use crate::base::{CODES, Code, CodeFacts};
use crate::explain::{Block, Found, Page, Section};

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    code: Code,
    title: &'static str,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct Listed {
    code: Code,
    title: &'static str,
}

#[derive(Serialize)]
struct List {
    schema: &'static str,
    codes: Vec<Listed>,
}

#[derive(Serialize)]
struct Diagnosed<'a> {
    schema: &'static str,
    lines: u64,
    causes: &'a [Found],
}

/// What a code's first digit stands for.
const GROUPS: [(char, &str); 6] = [
    ('1', "configuration"),
    ('2', "AWS and secrets"),
    ('3', "connection"),
    ('4', "permissions"),
    ('5', "registries and URLs"),
    ('6', "deploy"),
];

impl Ui {
    /// One page.
    pub fn page(&mut self, known: &CodeFacts) {
        let page = Page::read(known.page);
        if self.wants_json() {
            let document =
                Document { schema: "confluent-ecs/explain/v1", code: known.code, title: known.title, sections: page.sections };
            self.json(&document);
            return;
        }
        let style = self.result_style;
        let width = width();
        let mut text = format!("{}\n", style.strong(&page.title));
        for section in &page.sections {
            let _ = writeln!(text, "\n{}", style.strong(&section.heading));
            let mut before_item = false;
            for block in &section.blocks {
                let is_item = matches!(block, Block::Item(_));
                if !(is_item && before_item) {
                    text.push('\n');
                }
                before_item = is_item;
                match block {
                    Block::Text(words) => text.push_str(&wrapped(words, width, "  ", "  ")),
                    Block::Item(words) => text.push_str(&wrapped(words, width, "  - ", "    ")),
                    Block::Literal(lines) => {
                        for line in lines.lines() {
                            let _ = writeln!(text, "{}", format!("      {line}").trim_end());
                        }
                    }
                }
            }
        }
        self.result(&text);
    }

    /// What a log shows, diagnoses first.
    pub fn causes(&mut self, found: &[Found], lines: u64) {
        if self.wants_json() {
            self.json(&Diagnosed { schema: "confluent-ecs/explain/v1", lines, causes: found });
            return;
        }
        let read = words::count(lines, "line");
        if found.is_empty() {
            self.result(&format!("no cause that is known here in {read}\n"));
            self.note("confluent-ecs preflight tries what the service will do, and names the layer that fails");
            return;
        }
        let style = self.result_style;
        let width = width();
        let mut text = String::new();
        for cause in found {
            let often = if cause.count > 1 { format!(", {} times", cause.count) } else { String::new() };
            let place = format!("line {}{often}  {}", cause.line, cause.id);
            let follows = if cause.follows { "follows from something else: " } else { "" };
            let _ = writeln!(text, "{}  {}", style.strong(format!("{follows}{}", cause.title)), style.quiet(place));
            text.push_str(&wrapped(&cause.text, width, "  ", "  "));
            let mut part = |word: &str, body: &str| {
                let first = format!("  {word:<6} ");
                text.push_str(&wrapped(body, width, &first, "         "));
            };
            for (index, why) in cause.causes.iter().enumerate() {
                part(if index == 0 { "cause" } else { "or" }, why);
            }
            part("apart", cause.apart);
            for (index, fix) in cause.fix.iter().enumerate() {
                part(if index == 0 { "fix" } else { "" }, fix);
            }
            if let Some(code) = cause.code {
                part("more", &format!("confluent-ecs explain {code}"));
            }
            text.push('\n');
        }
        let _ = writeln!(text, "{} in {read}", words::count(found.len() as u64, "cause"));
        self.result(&text);
    }

    /// Every code with its title.
    pub fn codes(&mut self) {
        if self.wants_json() {
            let codes = CODES.iter().map(|known| Listed { code: known.code, title: known.title }).collect();
            self.json(&List { schema: "confluent-ecs/explain/v1", codes });
            return;
        }
        let style = self.result_style;
        let mut text = String::new();
        for (digit, group) in GROUPS {
            let codes: Vec<&CodeFacts> = CODES.iter().filter(|known| known.code.to_string()[2..].starts_with(digit)).collect();
            if codes.is_empty() {
                continue;
            }
            let _ = writeln!(text, "{}", style.strong(group));
            for known in codes {
                let _ = writeln!(text, "  {}  {}", known.code, known.title);
            }
        }
        text.push_str("\none of them: confluent-ecs explain CE402; the causes in a log: confluent-ecs explain < LOG\n");
        self.result(&text);
    }
}
