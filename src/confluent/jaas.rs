//! `sasl.jaas.config`: composed with the right quoting, and parsed as Kafka parses it.
//!
//! Kafka hands the text to Java's `StreamTokenizer` with a handful of settings, and so the quirks are that class's: a bare
//! word that starts with a digit is a number and no value, a bare `/` starts a comment, a quoted text may hold octal escapes, and a
//! line break ends it. We always quote.

use crate::base::Secret;

/// One login module with its options.
#[derive(Debug, Clone)]
pub struct Jaas {
    pub module: String,
    pub options: Vec<(String, Secret)>,
}

impl Jaas {
    /// A login with user name and password.
    pub fn login(module: &str, username: &Secret, password: &Secret) -> Self {
        let options = vec![("username".to_owned(), username.clone()), ("password".to_owned(), password.clone())];
        Self { module: module.to_owned(), options }
    }

    /// A login with options of any other kind.
    pub fn with_options<'a>(module: &str, options: impl IntoIterator<Item = (&'a str, Secret)>) -> Self {
        Self { module: module.to_owned(), options: options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    pub fn option(&self, name: &str) -> Option<&Secret> {
        // Kafka keeps options in a map: the last of a name counts.
        self.options.iter().rev().find(|(option, _)| option == name).map(|(_, value)| value)
    }

    pub fn username(&self) -> Option<&Secret> {
        self.option("username")
    }

    pub fn password(&self) -> Option<&Secret> {
        self.option("password")
    }

    /// The module's name without its package.
    pub fn module_name(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or(&self.module)
    }

    /// The text of the setting.
    pub fn compose(&self) -> Secret {
        let mut text = format!("{} required", self.module);
        for (name, value) in &self.options {
            text.push(' ');
            text.push_str(name);
            text.push_str("=\"");
            quote(&mut text, value.expose());
            text.push('"');
        }
        text.push(';');
        Secret::new(text)
    }

    /// Reads the text of the setting. Of several modules, all are checked and the first is given: it is the one Kafka's
    /// SASL mechanisms come with.
    pub fn parse(text: &str) -> Result<Self, JaasError> {
        let mut tokens = Tokens::new(text);
        let mut first = None;
        loop {
            match tokens.next() {
                Token::End => break,
                token => {
                    let entry = entry(token, &mut tokens)?;
                    first.get_or_insert(entry);
                }
            }
        }
        first.ok_or(JaasError::Empty)
    }
}

/// Inside double quotes. `${` would be taken for a reference by a worker with `config.providers`, so its dollar is
/// written as an octal escape.
fn quote(out: &mut String, value: &str) {
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '$' if characters.peek() == Some(&'{') => out.push_str("\\044"),
            other => out.push(other),
        }
    }
}

/// Why a text is no login configuration. It names no part of the text: that may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JaasError {
    #[error("it is empty")]
    Empty,
    #[error("it doesn't begin with the class of a login module")]
    Module,
    #[error("after the login module, `required` is missing")]
    Flag,
    #[error("an option isn't written as name=\"value\"")]
    Option,
    #[error("an option has no value, or one that needs quotes: write name=\"value\"")]
    Value,
    #[error("the semicolon at the end is missing")]
    Semicolon,
    #[error("a quote isn't closed")]
    Quote,
}

fn entry(module: Token, tokens: &mut Tokens<'_>) -> Result<Jaas, JaasError> {
    let module = match module {
        Token::Word(word) | Token::Quoted(word, true) => word,
        Token::Quoted(_, false) => return Err(JaasError::Quote),
        _ => return Err(JaasError::Module),
    };
    match tokens.next() {
        Token::Word(flag) | Token::Quoted(flag, true)
            if ["required", "requisite", "sufficient", "optional"].contains(&flag.to_lowercase().as_str()) => {}
        _ => return Err(JaasError::Flag),
    }
    let mut options = Vec::new();
    loop {
        let name = match tokens.next() {
            Token::Sign(';') => return Ok(Jaas { module, options }),
            Token::End => return Err(JaasError::Semicolon),
            Token::Word(name) | Token::Quoted(name, true) => name,
            Token::Quoted(_, false) => return Err(JaasError::Quote),
            Token::Sign(_) | Token::Number => return Err(JaasError::Option),
        };
        if !matches!(tokens.next(), Token::Sign('=')) {
            return Err(JaasError::Option);
        }
        match tokens.next() {
            Token::Word(value) | Token::Quoted(value, true) => options.push((name, Secret::new(value))),
            Token::Quoted(_, false) => return Err(JaasError::Quote),
            Token::Sign(_) | Token::Number | Token::End => return Err(JaasError::Value),
        }
    }
}

enum Token {
    Word(String),
    /// A quoted text, and whether its quote was closed. Java takes an open one for closed; nobody means that.
    Quoted(String, bool),
    Number,
    Sign(char),
    End,
}

/// `StreamTokenizer` as `JaasConfig` sets it up.
struct Tokens<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable() }
    }

    fn next(&mut self) -> Token {
        loop {
            let Some(character) = self.rest.next() else { return Token::End };
            match character {
                '\0'..=' ' => {}
                '/' => self.comment(),
                '"' | '\'' => return self.quoted(character),
                '-' | '.' | '0'..='9' => return self.number(character),
                other if is_word(other) => return self.word(other),
                other => return Token::Sign(other),
            }
        }
    }

    /// `//` and a bare `/` run to the end of the line, `/*` to `*/`.
    fn comment(&mut self) {
        if self.rest.next_if_eq(&'*').is_some() {
            let mut last = ' ';
            for character in self.rest.by_ref() {
                if last == '*' && character == '/' {
                    return;
                }
                last = character;
            }
        } else {
            while self.rest.next_if(|character| !matches!(character, '\n' | '\r')).is_some() {}
        }
    }

    fn word(&mut self, first: char) -> Token {
        let mut word = String::from(first);
        while let Some(character) = self.rest.next_if(|character| is_word(*character) || is_numeric(*character)) {
            word.push(character);
        }
        Token::Word(word)
    }

    /// Digits and dots after an optional minus. A minus alone is a sign; what follows the number is a token of its own.
    fn number(&mut self, first: char) -> Token {
        if first == '-' && !self.rest.peek().is_some_and(|next| *next == '.' || next.is_ascii_digit()) {
            return Token::Sign('-');
        }
        let mut dots = usize::from(first == '.');
        while let Some(character) = self.rest.next_if(|next| next.is_ascii_digit() || (*next == '.' && dots == 0)) {
            dots += usize::from(character == '.');
        }
        Token::Number
    }

    fn quoted(&mut self, quote: char) -> Token {
        let mut text = String::new();
        loop {
            match self.rest.peek().copied() {
                None | Some('\n' | '\r') => return Token::Quoted(text, false),
                Some(character) => {
                    self.rest.next();
                    if character == quote {
                        return Token::Quoted(text, true);
                    }
                    text.push(if character == '\\' { self.escaped() } else { character });
                }
            }
        }
    }

    /// After a backslash: up to three octal digits (three only up to `\377`), one of C's letters, or the character itself.
    fn escaped(&mut self) -> char {
        let Some(character) = self.rest.next() else { return '\u{ffff}' };
        match character {
            '0'..='7' => {
                let mut value = character.to_digit(8).unwrap_or_default();
                let most = if character <= '3' { 2 } else { 1 };
                for _ in 0..most {
                    let Some(digit) = self.rest.next_if(|next| next.is_digit(8)) else { break };
                    value = value * 8 + digit.to_digit(8).unwrap_or_default();
                }
                char::from_u32(value).unwrap_or_default()
            }
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            other => other,
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphabetic() || matches!(character, '_' | '$' | '-') || character as u32 >= 160
}

fn is_numeric(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Jaas, JaasError};
    use crate::base::Secret;

    const MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";

    fn password(text: &str) -> String {
        Jaas::parse(text).expect(text).password().expect("password").expose().to_owned()
    }

    #[test]
    fn what_people_write_is_read_as_kafka_reads_it() {
        let jaas = Jaas::parse(&format!("{MODULE} required username=\"KEY\" password=\"SEC/RET+=\";")).expect("parse");
        assert_eq!(jaas.module, MODULE);
        assert_eq!(jaas.module_name(), "PlainLoginModule");
        assert_eq!(jaas.username().expect("username").expose(), "KEY");
        assert_eq!(password("m Required password='it\"s';"), "it\"s");
        assert_eq!(password("m required\n  password = \"a\\\"b\\\\c\\044{d}\\101\\n\" ;"), "a\"b\\c${d}A\n");
        assert_eq!(password("m required /* a */ password=bare-word_1.2$ // end\n;"), "bare-word_1.2$");
        assert_eq!(password("m required password=a password=b;"), "b");
    }

    #[test]
    fn what_kafka_refuses_is_refused_with_its_reason() {
        for (text, error) in [
            ("", JaasError::Empty),
            ("  // nothing\n", JaasError::Empty),
            ("m", JaasError::Flag),
            ("m username=\"a\";", JaasError::Flag),
            ("m required username=\"a\"", JaasError::Semicolon),
            ("m required password=1234;", JaasError::Value),
            ("m required password=;", JaasError::Value),
            ("m required password=/x\n;", JaasError::Value),
            ("m required password;", JaasError::Option),
            ("m required password=\"open;", JaasError::Quote),
            ("m required password=\"two\nlines\";", JaasError::Quote),
            ("= required;", JaasError::Module),
        ] {
            assert_eq!(Jaas::parse(text).expect_err(text), error, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_password_survives(username in any::<String>(), password in "[\"'\\\\$;=#{} \t\n\ra-z0-9é€😀/*-]{0,20}|\\PC*") {
            let composed = Jaas::login(MODULE, &Secret::new(username.clone()), &Secret::new(password.clone())).compose();
            let composed_as_reference = composed.expose().contains("${");
            prop_assert!(!composed_as_reference && !composed.expose().contains('\n'));
            let parsed = Jaas::parse(composed.expose()).expect("parse");
            prop_assert_eq!(parsed.username().expect("username").expose(), username);
            prop_assert_eq!(parsed.password().expect("password").expose(), password);
        }
    }
}
