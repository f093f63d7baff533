//! A page in parts. Comes in: its text, in the few forms of Markdown that the pages use. Goes out: what can be laid out for any width.

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    pub title: String,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    pub heading: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    /// Words, to be broken where a line ends.
    Text(String),
    /// An entry of a list, broken likewise.
    Item(String),
    /// Lines to be typed or copied, as they are.
    Literal(String),
}

impl Page {
    /// Reads a page: `# title`, `## heading`, paragraphs, `- ` lists, and blocks set in four blanks or between fences.
    pub fn read(text: &str) -> Self {
        let mut page = Self { title: String::new(), sections: Vec::new() };
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(title) = line.strip_prefix("# ") {
                title.trim().clone_into(&mut page.title);
                continue;
            }
            if let Some(heading) = line.strip_prefix("## ") {
                page.sections.push(Section { heading: heading.trim().to_owned(), blocks: Vec::new() });
                continue;
            }
            let Some(section) = page.sections.last_mut() else { continue };
            if line.trim().is_empty() {
                continue;
            }
            if line.starts_with("```") {
                let inside: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
                section.blocks.push(Block::Literal(inside.join("\n")));
            } else if let Some(first) = line.strip_prefix("    ") {
                let mut literal = first.to_owned();
                while let Some(next) = lines.next_if(|next| next.starts_with("    ")) {
                    literal.push('\n');
                    literal.push_str(&next[4..]);
                }
                section.blocks.push(Block::Literal(literal));
            } else {
                let (is_item, first) = line.strip_prefix("- ").map_or((false, line), |first| (true, first));
                let mut words = first.trim().to_owned();
                while let Some(next) = lines.next_if(|next| continues(next)) {
                    words.push(' ');
                    words.push_str(next.trim());
                }
                section.blocks.push(if is_item { Block::Item(words) } else { Block::Text(words) });
            }
        }
        page
    }
}

/// Whether a line goes on with the words before it.
fn continues(line: &str) -> bool {
    !line.trim().is_empty() && !["- ", "#", "```", "    "].iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::{Block, Page};

    #[test]
    fn a_page_is_read_in_its_parts() {
        let page = Page::read(
            "# T\n\n## H\n\ntwo\nlines\n\n- one\n  more\n- two\n\n    cmd \\\n      --flag\n\n```yaml\na:\n  b: 1\n```\n",
        );
        assert_eq!(page.title, "T");
        assert_eq!(
            page.sections[0].blocks,
            [
                Block::Text("two lines".into()),
                Block::Item("one more".into()),
                Block::Item("two".into()),
                Block::Literal("cmd \\\n  --flag".into()),
                Block::Literal("a:\n  b: 1".into()),
            ]
        );
    }
}
