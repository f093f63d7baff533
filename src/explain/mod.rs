//! What a code means, and what a log says. Comes in: a code as it was typed, or the lines of a log. Goes out: the code's page, in parts
//! that can be laid out; the causes found in the log.
//!
//! Rules: pure; pages and causes are data (`templates/explain`), and say what to do in words that can be typed.

mod causes;
mod log;
mod page;

use crate::base::{CODES, CodeFacts, Failure, Result, nearest};

pub use log::{Found, Reader};
pub use page::{Block, Page, Section};

/// The code that was typed, in any case and with or without its letters. An unknown one comes with the nearest that is known.
pub fn find(typed: &str) -> Result<&'static CodeFacts> {
    let upper = typed.trim().to_ascii_uppercase();
    let wanted = if upper.starts_with("CE") { upper } else { format!("CE{upper}") };
    if let Some(found) = CODES.iter().find(|known| known.code.to_string() == wanted) {
        return Ok(found);
    }
    let known: Vec<String> = CODES.iter().map(|known| known.code.to_string()).collect();
    // Of two that are equally near, the one of the same hundred.
    let alike = known.iter().filter(|code| code.get(..3) == wanted.get(..3)).chain(&known);
    let help = match nearest(&wanted, alike.map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "`confluent-ecs explain` lists all that there are".to_owned(),
    };
    Err(Failure::usage(format!("there is no code {typed}")).help(help).into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::{Page, find};
    use crate::base::{CODES, Error};

    #[test]
    fn a_code_is_found_as_people_type_it() {
        for typed in ["CE402", "ce402", " 402 "] {
            assert_eq!(find(typed).expect(typed).code.to_string(), "CE402");
        }
        for (typed, help) in [("CE499", "did you mean CE4"), ("CD402", "did you mean"), ("what", "lists all")] {
            let Err(Error::Failure(failure)) = find(typed) else { panic!("{typed} was found") };
            assert!(failure.help[0].contains(help), "{typed}: {}", failure.help[0]);
        }
    }

    /// That no code lacks its page, the compiler sees to.
    #[test]
    fn no_page_lacks_a_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/explain");
        let pages = fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
        let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        let pages: BTreeSet<String> = pages.map(|path| path.file_stem().expect("name").to_string_lossy().into_owned()).collect();
        let codes: BTreeSet<String> = CODES.iter().map(|known| known.code.to_string()).collect();
        assert_eq!(pages, codes);
    }

    #[test]
    fn every_page_has_its_parts_and_its_codes_title() {
        for known in CODES {
            let page = Page::read(known.page);
            assert_eq!(page.title, format!("{}: {}", known.code, known.title));
            let headings: Vec<&str> = page.sections.iter().map(|section| section.heading.as_str()).collect();
            assert_eq!(headings, ["What it means", "Why it matters", "What to do"], "{}", known.code);
            assert!(page.sections.iter().all(|section| !section.blocks.is_empty()), "{} has an empty part", known.code);
        }
    }

    /// A page that sends its reader to another one sends them to one that is there.
    #[test]
    fn pages_name_only_codes_that_exist() {
        let known: BTreeSet<String> = CODES.iter().map(|known| known.code.to_string()).collect();
        for page in CODES {
            for word in page.page.split(|c: char| !c.is_ascii_alphanumeric()) {
                let is_code = word.len() == 5 && word.starts_with("CE") && word[2..].chars().all(|c| c.is_ascii_digit());
                assert!(!is_code || known.contains(word), "{} names {word}", page.code);
            }
        }
    }
}
