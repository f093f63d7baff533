//! AWS's XML answers as a tree: names, text and children, nothing else. Namespaces and attributes carry nothing that we read.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// No answer of AWS is nested deeper; what is, is not an answer of AWS.
const DEPTH: usize = 64;

/// One element. `text` is empty where there are children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The root element of a document.
    pub(super) fn parse(document: &str) -> Result<Self, String> {
        let mut open: Vec<Self> = Vec::new();
        for token in Tokenizer::from(document) {
            match token.map_err(|error| error.to_string())? {
                Token::ElementStart { local, .. } => {
                    if open.len() == DEPTH {
                        return Err(format!("elements are nested more than {DEPTH} deep"));
                    }
                    open.push(Self { name: local.as_str().to_owned(), ..Self::default() });
                }
                Token::ElementEnd { end: ElementEnd::Open, .. } => {}
                Token::ElementEnd { .. } => {
                    let Some(closed) = open.pop() else { return Err("an element ends that never began".to_owned()) };
                    match open.last_mut() {
                        Some(parent) => {
                            parent.text.clear();
                            parent.children.push(closed);
                        }
                        None => return Ok(closed),
                    }
                }
                Token::Text { text } => {
                    if let Some(element) = open.last_mut().filter(|element| element.children.is_empty()) {
                        element.text.push_str(&unescaped(text.as_str()));
                    }
                }
                Token::Cdata { text, .. } => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(text.as_str());
                    }
                }
                _ => {}
            }
        }
        Err("the document ends in the middle".to_owned())
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element at the end of a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text of a child; `None` when it is not there or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of this element itself.
    pub(super) fn own_text(&self) -> &str {
        self.text.trim()
    }

    /// The members of a list: every child of the child `name`, whatever AWS calls them (`item`, `member`, `HostedZone`).
    pub(super) fn list(&self, name: &str) -> &[Self] {
        self.child(name).map(|list| list.children.as_slice()).unwrap_or_default()
    }
}

/// Puts the characters in for which XML has entities.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.find(';').map(|end| &rest[1..end]);
        if let Some(c) = entity.and_then(character) {
            out.push(c);
            rest = &rest[entity.map_or(0, str::len) + 2..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn lists_and_texts_are_found_by_their_names() {
        let root = Element::parse(
            "<?xml version=\"1.0\"?>\n<Answer xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n  <subnetSet>\n    \
             <item><subnetId>subnet-1</subnetId><cidrBlock> 10.0.0.0/24 </cidrBlock></item>\n    \
             <item><subnetId>subnet-2</subnetId><cidrBlock/></item>\n  </subnetSet><tagSet/></Answer>",
        )
        .unwrap();
        let subnets = root.list("subnetSet");
        assert_eq!(subnets.iter().filter_map(|subnet| subnet.text("subnetId")).collect::<Vec<_>>(), ["subnet-1", "subnet-2"]);
        assert_eq!((subnets[0].text("cidrBlock"), subnets[1].text("cidrBlock")), (Some("10.0.0.0/24"), None));
        assert!(root.list("tagSet").is_empty() && root.list("routeSet").is_empty());
        assert_eq!(root.at(&["subnetSet", "item"]).and_then(|item| item.text("subnetId")), Some("subnet-1"));
    }

    #[test]
    fn entities_become_characters_and_the_rest_stays() {
        let root = Element::parse("<a><b>R&amp;D &lt;x&gt; &#8211; &#x2013; &nbsp; &</b><c><![CDATA[a&b]]></c></a>").unwrap();
        assert_eq!(root.text("b"), Some("R&D <x> – – &nbsp; &"));
        assert_eq!(root.text("c"), Some("a&b"));
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        for text in ["", "no xml", "<a><b></a", "<a>", "{\"a\": 1}"] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
        let deep = "<a>".repeat(10_000);
        assert!(Element::parse(&deep).unwrap_err().contains("nested"));
    }
}
